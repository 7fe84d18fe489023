"""Deployments over what earlier versions left."""
