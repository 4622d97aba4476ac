"""Documents from a hub or from WebDataset shards, read as they arrive."""

from ..core.errors import DataError

__all__ = ['HubDocs', 'WebDocs']


class HubDocs:
    "Documents of a Hugging Face data set in streaming mode, as often as asked"

    def __init__(
        self,
        name: str,  # of a data set on the hub, or of a builder such as 'json'
        split: str = 'train',
        column: str = 'text',  # that holds the document
        **kwargs,  # as in `datasets.load_dataset`
    ):
        self.name, self.column = name, column
        self.options = dict(split=split, streaming=True) | kwargs

    def __iter__(self):
        try:
            from datasets import load_dataset
        except ImportError:
            raise DataError("streams from the hub need the package datasets: pip install datasets") from None
        for row in load_dataset(self.name, **self.options):
            if self.column in row:
                yield row[self.column]
            else:
                raise DataError(f"{self.name} has no column '{self.column}' but {', '.join(row)}")


class WebDocs:
    "Documents of WebDataset shards, as often as asked; damaged shards stop the stream, or are listed in `bad`"

    def __init__(
        self,
        urls,  # as in `webdataset.WebDataset`: 'shard-{000..099}.tar', or a list
        key: str = 'txt',  # member that holds the document
        on_bad: str = 'stop',  # or 'skip'
    ):
        self.urls, self.key = urls, key
        self.on_bad, self.bad = on_bad, []

    def handle(self, error):
        "What WebDataset does at a damaged shard: True goes on with the next"
        damaged = DataError(f"a shard of the stream is damaged ({' '.join(str(error).split())[:160]})")
        if self.on_bad == 'stop':
            raise damaged from None
        self.bad.append(str(damaged))
        return True

    def __iter__(self):
        try:
            from webdataset import WebDataset
        except ImportError:
            raise DataError("WebDataset shards need the package webdataset: pip install webdataset") from None
        whole = dict(shardshuffle=False, nodesplitter=None, workersplitter=None, empty_check=False)
        for row in WebDataset(self.urls, handler=self.handle, **whole):
            if self.key in row:
                yield row[self.key]
