"""Tests of the page of loads and the dashboard's widget, on documents of the history."""
