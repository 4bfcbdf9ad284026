"""Tests of the renderers as pure functions, without HTTP and database, and golden documents."""
