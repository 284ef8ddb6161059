"""What the pages print: figures, tables and sentences made from records."""
