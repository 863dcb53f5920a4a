"""The formats that can be imported, one module each; `FORMATS` is the order in which they are asked."""
