"""Keras's settings of a process, which one model's file may change and the next one's must not inherit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """What `keras.config` holds that decides how layers are made."""

    policy: object
    floatx: str
    image_data_format: str

    @classmethod
    def now(cls) -> Settings:
        import keras

        return cls(keras.config.dtype_policy(), keras.config.floatx(), keras.config.image_data_format())

    def restore(self) -> None:
        import keras

        keras.config.set_floatx(self.floatx)
        keras.config.set_dtype_policy(self.policy)
        keras.config.set_image_data_format(self.image_data_format)
