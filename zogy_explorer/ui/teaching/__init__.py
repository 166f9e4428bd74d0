"""The lessons: ZOGY from two images to Scorr, each number computed by the engine as you look."""
