"""Why D is not zero at a place: what may be wrong, fitted, ranked and said in words."""
