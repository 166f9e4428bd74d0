"""The page: sessions, views and the image wall. Nothing below imports from here."""
