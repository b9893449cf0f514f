// PythonEnvironment
