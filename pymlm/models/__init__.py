"""Fitted models: what fits them, and what they answer."""
