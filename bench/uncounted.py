"""The service without a word of counting in it: `without(module)` is that module's source, but for what counts.

Taken out are additions to counts, looks at the clock for them, and what depends on such a look. `main` is
`mutiny-edge serve` with the fast lane and the short way to an answer made so.
"""

import ast
import inspect
from types import ModuleType

import engine.decide.decider
import engine.web.serve
from engine.cli.main import main as mutiny_edge
from engine.decide import usual
from engine.web import lane

COUNTS = {"counts", "began"}


class Uncounted(ast.NodeTransformer):
    """Takes out what counts."""

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        """`began = …`."""
        return None if isinstance(node.targets[0], ast.Name) and node.targets[0].id in COUNTS else node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST | None:
        """`counts[…] += 1`."""
        place = node.target
        counts = isinstance(place, ast.Subscript) and isinstance(place.value, ast.Name) and place.value.id in COUNTS
        return None if counts else node

    def visit_If(self, node: ast.If) -> ast.AST | None:
        """`if …EVERY: …`, which has the next answer timed; and what only chose between counts."""
        kept = self.generic_visit(node)
        counts_only = not node.body and not node.orelse
        return None if counts_only or "EVERY" in ast.unparse(node.test) else kept

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """What is handed on to whoever would have counted."""
        handed = node.id == "began" and isinstance(node.ctx, ast.Load)
        return ast.copy_location(ast.Constant(0.0), node) if handed else node


def without(module: ModuleType) -> ModuleType:
    """The same module, but for what counts."""
    made = ModuleType(module.__name__)
    tree = ast.fix_missing_locations(Uncounted().visit(ast.parse(inspect.getsource(module))))
    exec(compile(tree, module.__name__, "exec"), made.__dict__)
    return made


def main() -> None:
    """`mutiny-edge`, uncounted."""
    engine.decide.decider.usual = without(usual).usual
    engine.web.serve.PROTOCOL = without(lane).Lane
    mutiny_edge()
