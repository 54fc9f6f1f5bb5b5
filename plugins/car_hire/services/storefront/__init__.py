"""What the site tells of classes, branches and conditions, to people and to search engines."""
