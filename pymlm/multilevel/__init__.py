"""The multilevel workflow, from the structure of the data to the comparison of models."""
