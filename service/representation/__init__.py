"""Representations: the format-neutral Document, and formats that know no resource."""
