"""mutiny-edge: decides, on every page view, which variant of a page a visitor sees. The rooms: DESIGN section 9."""
