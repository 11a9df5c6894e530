"""stemctl: the metadata of neuroscience labs as code, over the BrainSTEM REST API."""

__version__ = "0.1.0"
