"""Tests of the domain, without HTTP."""
