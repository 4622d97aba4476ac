"""One model for words and pictures: labs, tables, floors, speed, and pairs of emoji and names."""
