"""Text units and statistics: bytes in patches, morphemes, rendered text, books, and languages of codes."""
