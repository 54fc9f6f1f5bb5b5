"""Price lists: which counts now, how the next is drafted, checked, published and taken back."""
