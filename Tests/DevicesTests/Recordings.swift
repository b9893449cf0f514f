/// Answers of `nvidia-smi`, as it gives them on machines of two kinds.
enum Recordings {
    /// A DGX H100: eight GPUs, the second in use by somebody else.
    static let eightGPUs = """
        0, GPU-a1b2c3d4-0000-4111-8222-333344445555, NVIDIA H100 80GB HBM3, 81559, 81004, 580.65.06, Disabled, 00000000:1B:00.0
        1, GPU-b7e9f001-1111-4111-8222-333344445555, NVIDIA H100 80GB HBM3, 81559, 20480, 580.65.06, Disabled, 00000000:43:00.0
        2, GPU-c2c2c2c2-2222-4111-8222-333344445555, NVIDIA H100 80GB HBM3, 81559, 81004, 580.65.06, Disabled, 00000000:52:00.0
        3, GPU-d3d3d3d3-3333-4111-8222-333344445555, NVIDIA H100 80GB HBM3, 81559, 81004, 580.65.06, Disabled, 00000000:61:00.0
        4, GPU-e4e4e4e4-4444-4111-8222-333344445555, NVIDIA H100 80GB HBM3, 81559, 81004, 580.65.06, Disabled, 00000000:9D:00.0
        5, GPU-f5f5f5f5-5555-4111-8222-333344445555, NVIDIA H100 80GB HBM3, 81559, 81004, 580.65.06, Disabled, 00000000:C3:00.0
        6, GPU-06060606-6666-4111-8222-333344445555, NVIDIA H100 80GB HBM3, 81559, 81004, 580.65.06, Disabled, 00000000:D1:00.0
        7, GPU-07070707-7777-4111-8222-333344445555, NVIDIA H100 80GB HBM3, 81559, 81004, 580.65.06, Disabled, 00000000:DF:00.0
        """

    static let eightGPUsProcesses = """
        GPU-b7e9f001-1111-4111-8222-333344445555, 412345, 59872
        GPU-b7e9f001-1111-4111-8222-333344445555, 412399, [N/A]
        """

    /// Two A100s, the first divided into instances.
    static let dividedGPUs = """
        0, GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77, NVIDIA A100-SXM4-80GB, 81920, 80794, 570.124.06, Enabled, 00000000:07:00.0
        1, GPU-9f0e1d2c-3b4a-4958-8677-665544332211, NVIDIA A100-SXM4-80GB, 81920, 81150, 570.124.06, Disabled, 00000000:0A:00.0
        """

    static let dividedGPUsList = """
        GPU 0: NVIDIA A100-SXM4-80GB (UUID: GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77)
          MIG 3g.40gb     Device  0: (UUID: MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f)
          MIG 2g.20gb     Device  1: (UUID: MIG-0f6a8b11-7c1d-5b3e-8f10-0a5d7a1c2b3d)
          MIG 1g.10gb+me  Device  2: (UUID: MIG-e3f2a1b0-9988-5776-a554-433221100fed)
        GPU 1: NVIDIA A100-SXM4-80GB (UUID: GPU-9f0e1d2c-3b4a-4958-8677-665544332211)
        """

    /// The part of `-q -x` that tells the memory of instances; the third one's is missing, as with old drivers.
    static let dividedGPUsXML = """
        <?xml version="1.0" ?>
        <!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v12.dtd">
        <nvidia_smi_log>
        \t<driver_version>570.124.06</driver_version>
        \t<attached_gpus>2</attached_gpus>
        \t<gpu id="00000000:07:00.0">
        \t\t<product_name>NVIDIA A100-SXM4-80GB</product_name>
        \t\t<mig_mode>
        \t\t\t<current_mig>Enabled</current_mig>
        \t\t\t<pending_mig>Enabled</pending_mig>
        \t\t</mig_mode>
        \t\t<mig_devices>
        \t\t\t<mig_device>
        \t\t\t\t<index>0</index>
        \t\t\t\t<gpu_instance_id>2</gpu_instance_id>
        \t\t\t\t<compute_instance_id>0</compute_instance_id>
        \t\t\t\t<fb_memory_usage>
        \t\t\t\t\t<total>40192 MiB</total>
        \t\t\t\t\t<reserved>0 MiB</reserved>
        \t\t\t\t\t<used>10037 MiB</used>
        \t\t\t\t\t<free>30155 MiB</free>
        \t\t\t\t</fb_memory_usage>
        \t\t\t\t<bar1_memory_usage>
        \t\t\t\t\t<total>65535 MiB</total>
        \t\t\t\t\t<used>0 MiB</used>
        \t\t\t\t\t<free>65535 MiB</free>
        \t\t\t\t</bar1_memory_usage>
        \t\t\t</mig_device>
        \t\t\t<mig_device>
        \t\t\t\t<index>1</index>
        \t\t\t\t<gpu_instance_id>3</gpu_instance_id>
        \t\t\t\t<compute_instance_id>0</compute_instance_id>
        \t\t\t\t<fb_memory_usage>
        \t\t\t\t\t<total>19968 MiB</total>
        \t\t\t\t\t<used>25 MiB</used>
        \t\t\t\t\t<free>19943 MiB</free>
        \t\t\t\t</fb_memory_usage>
        \t\t\t</mig_device>
        \t\t</mig_devices>
        \t\t<uuid>GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77</uuid>
        \t\t<fb_memory_usage>
        \t\t\t<total>81920 MiB</total>
        \t\t\t<free>80794 MiB</free>
        \t\t</fb_memory_usage>
        \t</gpu>
        \t<gpu id="00000000:0A:00.0">
        \t\t<mig_devices>
        \t\t\tNone
        \t\t</mig_devices>
        \t\t<uuid>GPU-9f0e1d2c-3b4a-4958-8677-665544332211</uuid>
        \t</gpu>
        </nvidia_smi_log>
        """
}
