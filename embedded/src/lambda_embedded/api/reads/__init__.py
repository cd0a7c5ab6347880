"""Reads of many objects: lists, watches, and the tables that kubectl prints."""
