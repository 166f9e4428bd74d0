"""The version, in one place that the engine may read without importing the package's front."""

__version__ = "0.1.0"
