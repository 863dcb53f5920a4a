"""Tree and detail: which is on the screen, which has the keys; the detail follows the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracetui.tui import layout
from tracetui.tui.keys import Where

if TYPE_CHECKING:
    from tracetui.tui.screens.explorer import Explorer
    from tracetui.tui.widgets.detail import DetailPane


class Panes:
    """The two panes. Below 100 cells one of them is on the screen, else both, or the detail alone (zoomed)."""

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer
        self.detail: DetailPane | None = None
        self._in_detail = self._zoomed = self._came_from_detail = False

    @property
    def place(self) -> Where:
        """Which pane has the keys."""
        return Where.DETAIL if self._in_detail else Where.ROWS

    @property
    def split(self) -> bool:
        """Whether both panes are on the screen."""
        return layout.panes(self._explorer.size.width).split and not self._zoomed

    def furnish(self) -> DetailPane:
        """Make the detail: the first page did without."""
        from tracetui.tui.widgets.detail import DetailPane

        explorer = self._explorer
        self.detail = DetailPane(explorer.ink, explorer.glyphs, explorer.path)
        return self.detail

    def arrange(self) -> None:
        """Show what belongs on the screen, with its width."""
        tree, detail = self._explorer.listing, self.detail
        both = self.split and detail is not None
        in_detail = self._in_detail and detail is not None
        tree.display = both or not in_detail
        tree.rule = both
        tree.styles.width = layout.panes(self._explorer.size.width).tree + 1 if both else "1fr"
        tree.focused_here = not in_detail
        if detail is not None:
            detail.display = both or in_detail
            detail.focused_here = in_detail
            detail.refresh()
        tree.restyle()

    def to_detail(self) -> None:
        """The keys go to the detail."""
        if self.detail is not None:
            self._in_detail = True
            self._turned()
            self.show_row()

    def to_tree(self) -> None:
        """The keys go to the tree."""
        self._in_detail = self._zoomed = False
        self._turned()

    def zoom(self) -> None:
        """The detail alone, or both again."""
        self._zoomed = not self._zoomed
        if self._zoomed:
            self._came_from_detail, self._in_detail = self._in_detail, True
        else:
            self._in_detail = self._came_from_detail
        self._turned()
        self.show_row()

    def _turned(self) -> None:
        self.arrange()
        self._explorer.redraw_footer()

    def show_row(self) -> None:
        """The detail shows the cursor's row."""
        if self.detail is None or not self.detail.display:
            return
        tree = self._explorer.listing
        row = tree.current
        if row is not None:
            self.detail.show(row.level, row.pk)
        elif tree.spot is None:
            self.detail.clear()
