"""Fails where a hot loop is no longer vectorized, or uses MMX, judged by its instructions.

Usage: check_vectorized.py FILE [OBJDUMP] (x86-64 or aarch64, optimized, not stripped). In the
library every kernel is looked at, so a new operator is too; in an object of a program every pass by
`transform`.
"""

import re
import subprocess
import sys
from typing import NamedTuple

# The widest register of each instruction set: full vectors are wanted, not any vectors. How wide
# those of a program are is its compiler's choice.
REGISTERS = {"baseline": "%xmm", "avx2": "%ymm", "avx512": "%zmm"}
ANY_REGISTER = "%[xyz]mm"

# Not and, or, xor, conversions and blends alone: gcc uses those of vectors for one number, too.
FLOATS = r"v?(add|sub|mul|div|min|max|sqrt|cmp\w*)p"
COUNTS = r"v?p(add|sub)[bwdq]"
BYTES = r"v?packuswb|vpmov(wb|m2b)|vpcmp(n?l[te])uw"
# What must stand in a loop of a kernel: of doubles, and of the other element types. What " and "
# joins stands in the same loop, where a kernel has several.
WANTED = {
    "map_kernel": (FLOATS + "d", FLOATS + "s"),
    "reduce_kernel": ("v?addpd", "v?addpd"),
    "reduce_columns_kernel": (
        r"v?(and|sub|mul|min|cmp\w*)pd|vpandq and v?addpd",
        "v?cvtps2pd and v?addpd",
    ),
    "penalize_each_kernel": ("v?mulpd", "v?mulpd"),
    "slice_gather_kernel": ("v?addpd", "v?addpd"),
    "slice_apply_kernel": ("v?mulp[sd]", "v?mulp[sd]"),
    "slice_rows_kernel": ("v?mulpd", "v?mulps"),
    "slice_gather_columns_kernel": ("v?addpd", "v?addpd"),
    "slice_fold_columns_kernel": ("v?addpd", "v?addpd"),
    "slice_apply_columns_kernel": ("v?mulpd", "v?mulps"),
    "label_gather_kernel": ("v?mulpd", "v?mulpd"),
    "label_apply_kernel": ("v?mulp[sd]", "v?mulp[sd]"),
    "noise_kernel": ("v?(mul|add)pd", "v?(mul|add)ps"),
    "mask_bytes_kernel": (BYTES, BYTES),
    "unpack_bits_kernel": (r"v?pcmpeqb|vptestn?mb", r"v?pcmpeqb|vptestn?mb"),
    "draw_decisions_kernel": ("v?paddd", "v?paddd"),
    "draw_high_halves_kernel": ("v?paddd", "v?paddd"),
    "draw_normals_kernel": ("v?sqrtps", "v?sqrtps"),
    "draw_uniforms_kernel": ("v?paddd", "v?paddd"),
    "update_round": (FLOATS + "d", FLOATS + "s"),
    "step_sizes_kernel": ("v?sqrtpd", "v?sqrtps"),
    "update_kernel": (COUNTS, COUNTS),  # its summary
    "count_kernel": (COUNTS, COUNTS),
    "widen_kernel": (r"v?ps[lr]l\w+|v?cvtph2ps", r"v?ps[lr]l\w+|v?cvtph2ps"),
    "narrow_kernel": (r"v?ps[lr]l\w+|v?cvtps2ph", r"v?ps[lr]l\w+|v?cvtps2ph"),
    "narrow_randomly_kernel": (r"v?ps[lr]l\w+", r"v?ps[lr]l\w+"),
    "round_randomly_kernel": (r"v?ps[lr]l\w+", r"v?ps[lr]l\w+"),
    "norm_kernel": (r"v?addpd|vfmadd\w+pd", r"v?addpd|vfmadd\w+pd"),
    "combine_kernel": (FLOATS + "[sd]", FLOATS + "[sd]"),
    "scale_kernel": ("v?mulp[sd]", "v?mulp[sd]"),
    "cast_kernel": (
        r"v?(cvtps2pd|movup[sd]|movlhps)",
        r"v?(ps[lr]l\w+|cvtps2ph|cvtph2ps|movups)",
    ),
    "stream_kernel": (r"v?movnt\w+", r"v?movnt\w+"),
    "short_threshold_kernel": (FLOATS + "d", FLOATS + "d"),
    "excess_kernel": (FLOATS + "d", FLOATS + "d"),
    "part_kernel": (FLOATS + "d", FLOATS + "d"),
    "weighted_extent_kernel": (FLOATS + "[sd]", FLOATS + "[sd]"),
    "weighted_excess_kernel": (FLOATS + "d", FLOATS + "d"),
    "cut_kernel": (FLOATS + "[sd]", FLOATS + "[sd]"),
    "cut_weighted_kernel": (FLOATS + "d", FLOATS + "d"),
    "digits_kernel": (r"v?pcmpeq\w|v?p(and|or)\w*", r"v?pcmpeq\w|v?p(and|or)\w*"),
    "ties_kernel": (r"v?pcmpeq\w", r"v?pcmpeq\w"),
    "keep_kernel": (r"v?pand\w*", r"v?pand\w*"),
    "keep_largest_kernel": (r"v?pand\w*", r"v?pand\w*"),
    "n_of_m_kernel": (r"v?pand\w*", r"v?pand\w*"),
    "largest_kernel": (r"v?p(and|max)\w*", r"v?p(and|max)\w*"),
    "inner_product_kernel": ("v?addpd", "v?addpd"),
    "subtract_kernel": ("v?subpd", "v?subpd"),
    "differences_kernel": ("v?subpd", "v?subpd"),
    "draw_superblocks": ("v?paddd", "v?paddd"),
    "transform_range": (FLOATS + "d", FLOATS + "s"),
}

# Sorting and the taut string follow their data; what is prepared is one functor. In programs for
# SSE2 alone: selections of doubles, by 64-bit masks, begin with SSE4.2; roots want flags (see
# transform.hpp).
SCALAR = (
    r"::(total_variation|slope|slope_terms|prepare)_kernel<|"
    r"::portable::detail::transform_range<double, .*ops::"
    r"(hard_threshold|firm_threshold|prox_(huber|l0|mcp|scad|nonnegative_l1))<"
    r"|transform_range<.*ops::prox_(l_half|l_two_thirds|log_sum)<"
)


class Machine(NamedTuple):
    """How it writes jumps and calls, to whatever address and name."""

    jump: str
    call: str


X86 = Machine(r"j\w+\s+([0-9a-f]+) <", r"(?:call|jmp)\s+[0-9a-f]+ <(.*)>$")
ARM = Machine(r"(?:b(?:\.\w+)?|[ct]bn?z)\s.*?\b([0-9a-f]+) <", r"bl?\s+[0-9a-f]+ <(.*)>$")
# What must stand in any kernel there: every pattern above would have to be written a second time.
ANY_OF_ARM = r"(?!mov|dup|ld|st|ins|[su]?xtl)\w+\s+v\d+\.(2d|4s|8h|16b),"
# It copies, which ANY_OF_ARM does not count; gcc 12 takes no roots of each element's parameters
# two by two.
SCALAR_OF_ARM = r"::stream_kernel\(|::map_kernel<.*::prox_l_(half|two_thirds), .*, true>"


class Function:
    """The instructions of one function, and the functions that it calls."""

    def __init__(self, machine: Machine = X86) -> None:
        self.machine = machine
        self.instructions: list[tuple[int, str]] = []
        self.called: set[str] = set()

    def loops(self) -> list[list[str]]:
        """The instructions of each of its loops, between a jump back and where it goes.

        Those of the loops within it are not among them.
        """
        spans = {
            range(int(jump[1], 16), address + 1)
            for address, text in self.instructions
            if (jump := re.match(self.machine.jump, text)) and int(jump[1], 16) <= address
        }
        loops = []
        for span in spans:
            within = [s for s in spans if s != span and s[0] in span and s[-1] in span]
            own = [
                text
                for address, text in self.instructions
                if address in span and not any(address in inner for inner in within)
            ]
            loops.append(own)
        return loops


def read_functions(path: str, objdump: str) -> dict[str, Function]:
    """Disassemble a library."""
    command = [objdump, "-d", "--demangle", "--no-show-raw-insn", path]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    machine = ARM if "aarch64" in lines[1] else X86
    functions: dict[str, Function] = {}
    current = Function()
    for line in lines:
        if head := re.match(r"[0-9a-f]+ <(.*)>:$", line):
            current = functions.setdefault(head[1], Function(machine))
        elif code := re.match(r"\s+([0-9a-f]+):\t(.*)", line):
            current.instructions.append((int(code[1], 16), code[2]))
            if call := re.match(machine.call, code[2]):
                current.called.add(call[1])
    return functions


def loops_of(functions: dict[str, Function], name: str) -> list[list[str]]:
    """The loops of a function and of all that it calls."""
    reached, waiting = set[str](), [name]
    while waiting:
        function = waiting.pop()
        if function in functions and function not in reached:
            reached.add(function)
            waiting.extend(functions[function].called)
    return [loop for function in reached for loop in functions[function].loops()]


def main(path: str, objdump: str = "objdump") -> int:
    """Print the kernels that are not vectorized, and what uses MMX; the exit status says if any."""
    functions = read_functions(path, objdump)
    checked, missing = 0, []
    for name in sorted(functions):
        kernel = re.match(
            r"(?:void )?bridle::(\w+)::(?:detail::)?"
            r"(\w+_kernel|draw_superblocks|update_round|transform_range)[<(]",
            name,
        )
        on_arm = functions[name].machine is ARM
        scalar = f"{SCALAR}|{SCALAR_OF_ARM}" if on_arm else SCALAR
        if not kernel or "[clone .cold" in name or re.search(scalar, name):
            continue
        if kernel[2] not in WANTED:
            sys.exit(f"say in WANTED what a vectorized {kernel[2]} looks like")
        double, other = WANTED[kernel[2]]
        # Complex numbers compute in double, whatever their type.
        is_double = re.search(r"(, |transform_range<)double[,>]|Complex<", name)
        wanted = double if is_double else other
        register = REGISTERS.get(kernel[1], ANY_REGISTER)
        patterns = [re.compile(rf"({one})\s.*{register}") for one in wanted.split(" and ")]
        if on_arm:
            patterns = [re.compile(ANY_OF_ARM)]
        checked += 1
        if not any(
            all(any(map(pattern.match, loop)) for pattern in patterns)
            for loop in loops_of(functions, name)
        ):
            missing.append(name)
    for name in missing:
        print(f"not vectorized: {name}")
    # They are those of long double as well, and stay full after such an instruction.
    filled = [
        name
        for name, function in functions.items()
        if any(re.search(r"%mm\d", text) for _, text in function.instructions)
    ]
    for name in filled:
        print(f"has registers of MMX: {name}")
    print(f"{checked - len(missing)} of {checked} loops are vectorized")
    return 1 if missing or filled or not checked else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
