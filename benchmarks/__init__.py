"""Speed of pymlm against native R, plain rpy2 and statsmodels: ``python -m benchmarks``."""
