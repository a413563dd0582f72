namespace SafeLlama.Kernels.Tests;

/// <summary>
/// What the PTX ISA (8.4) says of arithmetic on one lane's numbers, of 32 and of 64 bits, of comparisons and branches.
/// </summary>
internal static class PtxScalarVectors
{
    private const uint Minus1 = uint.MaxValue, Lowest = 0x80000000, NotANumber = 0x7FC00000;
    private const ulong WideMinus1 = ulong.MaxValue;

    private static readonly double[] Apart = [-1.5, 0, 2.25, double.NaN, double.PositiveInfinity, -0.0];

    public static IEnumerable<PtxVector> All =>
        [.. Whole, .. WideWhole, .. Single, .. Double, .. Others, .. Comparisons];

    private static IEnumerable<PtxVector> Whole =>
    [
        Two("add.s32", (7, Minus1, 6), (0x7FFFFFFF, 1, Lowest)),
        Two("sub.s32", (7, Minus1, 8), (Lowest, 1, 0x7FFFFFFF)),
        Two("mul.lo.s32", (Minus1, 3, 0xFFFFFFFD), (0x10001, 0x10001, 0x20001)),
        Two("div.u32", (Minus1, 2, 0x7FFFFFFF), (7, 3, 2)),
        Two("rem.u32", (Minus1, 16, 15), (7, 3, 1)),
        Two("min.s32", (Minus1, 1, Minus1), (5, 4, 4)),
        Two("max.s32", (Minus1, 1, 1), (5, 4, 5)),
        Two("min.u32", (Minus1, 1, 1), (5, 4, 4)),
        Two("max.u32", (Minus1, 1, Minus1), (5, 4, 5)),
        Two("and.b32", (0xFF00FF00, 0x0FF00FF0, 0x0F000F00)),
        Two("or.b32", (0xFF00FF00, 0x0FF00FF0, 0xFFF0FFF0)),
        Two("xor.b32", (0xFF00FF00, 0x0FF00FF0, 0xF0F0F0F0)),
        One("neg.s32", (1, Minus1), (Lowest, Lowest)),
        One("not.b32", (0, Minus1), (0xFF00FF00, 0x00FF00FF)),
        One("mov.b32", (0xDEADBEEF, 0xDEADBEEF)),
        One("mov.u32", (0xDEADBEEF, 0xDEADBEEF)),
        One("mov.f32", (NotANumber, NotANumber)),
        PtxVectors.Table("mad.lo.s32", "mad.lo.s32 y0, x0, x1, x2;", ([Minus1, 3, 5], 2)),
        PtxVectors.Table(
            "cvt.s32.s16", "cvt.u16.u32 z0, x0; cvt.s32.s16 y0, z0;", ([0x18000], 0xFFFF8000), ([0x7FFF], 0x7FFF)),
        PtxVectors.Table("cvt.s32.u16", "cvt.u16.u32 z0, x0; cvt.s32.u16 y0, z0;", ([0x18000], 0x8000)),
    ];

    private static IEnumerable<PtxVector> WideWhole =>
    [
        Wide("add.s64", (uint.MaxValue, 1, 1ul << 32), (WideMinus1, 2, 1)),
        Wide("add.u64", (WideMinus1, 2, 1)),
        Wide("sub.s64", (1ul << 32, 1, uint.MaxValue), (0, 1, WideMinus1)),
        Wide("mul.lo.s64", (1ul << 31, 6, 6ul << 31), (WideMinus1, 3, WideMinus1 - 2)),
        Wide("div.s64", (unchecked((ulong)-7), 3, unchecked((ulong)-2)), (1ul << 40, 3, (1ul << 40) / 3)),
        Wide("div.u64", (WideMinus1, 2, WideMinus1 >> 1)),
        Wide("rem.s64", (unchecked((ulong)-7), 3, WideMinus1), ((1ul << 40) + 2, 4, 2)),
        Wide("rem.u64", (WideMinus1, 16, 15)),
        Wide("and.b64", (0xFF00FF00FF00FF00, 0x0FF00FF00FF00FF0, 0x0F000F000F000F00)),
        Wide("or.b64", (0xFF00FF0000000000, 0x0FF00FF00FF00FF0, 0xFFF0FFF00FF00FF0)),
        Wide("xor.b64", (0xFF00FF0000000000, 0x0FF00FF00FF00FF0, 0xF0F0F0F00FF00FF0)),
        Wide("mov.b64", "mov.b64 d6, d4;", (0x0123456789ABCDEF, 0, 0x0123456789ABCDEF)),
        Wide("mov.f64", "mov.f64 d6, d4;", (Bits(-0.0), 0, Bits(-0.0))),
        Wide("mad.lo.u64", "mad.lo.u64 d6, d4, d5, 9;", (1ul << 33, 5, (5ul << 33) + 9)),
        Wide("selp.b64", "setp.lt.s64 h0, d4, d5; selp.b64 d6, d4, d5, h0;", (3, 1ul << 33, 3), (1ul << 33, 3, 3)),

        // A shift is by 32 bits unsigned; past the width all bits have gone, or are the sign.
        Wide("shl.b64", "cvt.u32.u64 r3, d5; shl.b64 d6, d4, r3;", (1, 63, 1ul << 63), (1, 64, 0), (3, 200, 0)),
        Wide("shr.s64", "cvt.u32.u64 r3, d5; shr.s64 d6, d4, r3;", (1ul << 63, 63, WideMinus1),
            (1ul << 63, 99, WideMinus1)),
        Wide("shr.u64", "cvt.u32.u64 r3, d5; shr.u64 d6, d4, r3;", (1ul << 63, 63, 1), (1ul << 63, 64, 0)),

        // All 64 bits of a product, and of a widened number.
        Wide("mul.wide.u32", "mul.wide.u32 d6, x0, x2;", (Minus1, Minus1, 0xFFFFFFFE00000001)),
        Wide("mul.wide.s32", "mul.wide.s32 d6, x0, x2;", (Minus1, 5, unchecked((ulong)-5))),
        Wide("cvt.s64.s32", "cvt.s64.s32 d6, x0;", (Minus1, 0, WideMinus1), (5, 0, 5)),
        Wide("cvt.s32.s64", "cvt.s32.s64 r3, d4; cvt.s64.s32 d6, r3;", (0x123456789, 0, 0x23456789),
            (WideMinus1, 0, WideMinus1)),
        Wide("cvt.u64.u32", "cvt.u64.u32 d6, x0;", (Minus1, 0, Minus1)),
        Wide("cvt.u32.u64", "cvt.u32.u64 r3, d4; cvt.u64.u32 d6, r3;", (0x123456789, 0, 0x23456789)),
    ];

    private static IEnumerable<PtxVector> Single =>
    [
        Two("add.f32", (Bits(1f), Bits(MathF.ScaleB(1, -24)), Bits(1f)), (Bits(-0f), Bits(-0f), Bits(-0f))),
        Two("sub.f32", (Bits(1f), Bits(1f), Bits(0f)), (Bits(1.5f), Bits(-0.25f), Bits(1.75f))),
        Two("mul.f32", (0x3F800001, 0x3F800001, 0x3F800002), (Bits(-1f), Bits(0f), Bits(-0f))),
        Two("div.rn.f32", (Bits(1f), Bits(3f), 0x3EAAAAAB), (Bits(-1f), Bits(0f), 0xFF800000)),
        One("neg.f32", (Bits(1f), Bits(-1f)), (Bits(0f), Bits(-0f))),
        One("abs.f32", (Bits(-1f), Bits(1f)), (Bits(-0f), Bits(0f))),
        One("sqrt.rn.f32", (Bits(2f), 0x3FB504F3), (Bits(-0f), Bits(-0f)), (Bits(float.PositiveInfinity), 0x7F800000)),

        // Within 2⁻²² of the true value: four units of the last place at most.
        One("rsqrt.approx.f32", (Bits(4f), Bits(0.5f)), (Bits(3f), Bits(0.577350269f)), (Bits(0f), 0x7F800000),
            (Bits(-0f), 0xFF800000), (0x7F800000, 0), (Bits(-1f), NotANumber), (0xFF800000, NotANumber))
            with { UlpTolerance = 4 },
        One("cvt.rn.f32.s32", (Minus1, Bits(-1f)), (0x01000001, Bits(16777216f)), (0x01000003, Bits(16777220f))),
        One("cvt.rzi.s32.f32", (Bits(-1.75f), Minus1), (Bits(2.9f), 2), (Bits(3e9f), 0x7FFFFFFF), (Bits(-0.5f), 0)),
        PtxVectors.Table(
            "selp.f32", "setp.lt.f32 h0, x0, x1; selp.f32 y0, x0, 0fFF800000, h0;", ([Bits(1f), Bits(2f)], Bits(1f)),
            ([Bits(2f), Bits(1f)], 0xFF800000), ([NotANumber, Bits(1f)], 0xFF800000)),
    ];

    private static IEnumerable<PtxVector> Double =>
    [
        Wide("add.f64", (Bits(1.0), Bits(Math.ScaleB(1, -53)), Bits(1.0)), (Bits(0.1), Bits(0.2), 0x3FD3333333333334)),
        Wide("sub.f64", (Bits(1.0), Bits(Math.ScaleB(1, -53)), 0x3FEFFFFFFFFFFFFF), (Bits(1.0), Bits(1.0), 0)),
        Wide("mul.f64", (Bits(0.1), Bits(0.1), 0x3F847AE147AE147C), (Bits(-1.0), Bits(0.0), Bits(-0.0))),
        Wide("div.rn.f64", (Bits(1.0), Bits(3.0), 0x3FD5555555555555), (Bits(-1.0), Bits(0.0), 0xFFF0000000000000)),
        Wide("sqrt.rn.f64", "sqrt.rn.f64 d6, d4;", (Bits(2.0), 0, 0x3FF6A09E667F3BCD), (Bits(-0.0), 0, Bits(-0.0))),

        // One rounding: (1 + 2⁻²⁷)² − (1 + 2⁻²⁶) is 2⁻⁵⁴, which a rounded product would have lost.
        Wide("fma.rn.f64", "fma.rn.f64 d6, d4, d4, d5;",
            (Bits(1 + Math.ScaleB(1, -27)), Bits(-1 - Math.ScaleB(1, -26)), Bits(Math.ScaleB(1, -54)))),
        Wide("cvt.f64.f32", "cvt.f64.f32 d6, x0;", (Bits(0.1f), 0, 0x3FB99999A0000000),
            (1, 0, Bits(Math.ScaleB(1, -149)))),
        Wide("cvt.rn.f64.s32", "cvt.rn.f64.s32 d6, x0;", (Minus1, 0, Bits(-1.0)), (0x7FFFFFFF, 0, Bits(2147483647.0))),
        PtxVectors.Table(
            "cvt.rn.f32.f64", "ld.global.b64 d4, [d0]; cvt.rn.f32.f64 y0, d4;",
            ([0x9999999A, 0x3FB99999], Bits(0.1f)), ([0x10000000, 0x3FF00000], Bits(1f)),      // a tie, to even
            ([0x30000000, 0x3FF00000], 0x3F800002), ([0, 0x7FE00000], 0x7F800000)),
    ];

    private static IEnumerable<PtxVector> Others =>
    [
        PtxVectors.Table(
            "and.pred", "setp.gt.s32 h0, x0, 0; setp.gt.s32 h1, x1, 0; and.pred h2, h0, h1; selp.b32 y0, 1, 0, h2;",
            ([1, 1], 1), ([1, 0], 0), ([0, 1], 0), ([0, 0], 0)),
        PtxVectors.Table(
            "or.pred", "setp.gt.s32 h0, x0, 0; setp.gt.s32 h1, x1, 0; or.pred h2, h0, h1; selp.b32 y0, 1, 0, h2;",
            ([1, 1], 1), ([1, 0], 1), ([0, 1], 1), ([0, 0], 0)),
        PtxVectors.Table(
            "not.pred", "setp.gt.s32 h0, x0, 0; mov.pred h1, h0; not.pred h2, h1; selp.b32 y0, 1, 0, h2;",
            ([1], 0), ([0], 1)),
        PtxVectors.Table(
            "bra", "setp.lt.s32 h0, x0, 5; @h0 bra LOW; mov.b32 y0, 2; bra.uni END;\nLOW: mov.b32 y0, 1;\nEND: ",
            ([4], 1), ([5], 2)),
        PtxVectors.Table(
            "brx.idx",
            "PLACES: .branchtargets A, B, C;\nbrx.idx x0, PLACES;\nA: mov.b32 y0, 10; bra.uni END;\n"
            + "B: mov.b32 y0, 11; bra.uni END;\nC: mov.b32 y0, 12;\nEND: ",
            ([0], 10), ([1], 11), ([2], 12)),
    ];

    /// <summary>Every pair of numbers that may be less, equal, larger, signed or no number.</summary>
    private static IEnumerable<PtxVector> Comparisons
    {
        get
        {
            var pairs = Apart.SelectMany(a => Apart.Select(b => (A: a, B: b))).Take(PtxVector.Lanes).ToArray();
            ulong[] whole = [0, 1, Minus1, Lowest, WideMinus1, 1ul << 32];
            var places = whole.SelectMany(a => whole.Select(b => (A: a, B: b))).Take(PtxVector.Lanes).ToArray();
            foreach (var form in PtxForms.Comparisons)
            {
                var parts = form.Split('.');
                var (order, type, joined) = (parts[1], parts[^1], parts.Length == 4 ? parts[2] : "");
                bool Holds(int l) => type switch
                {
                    "f32" or "f64" => SaysOfReals(order, pairs[l].A, pairs[l].B),
                    "s32" => Says(order, (int)places[l].A, (int)places[l].B),
                    "u32" => Says(order, (uint)places[l].A, (uint)places[l].B),
                    "s64" => Says(order, (Int128)(long)places[l].A, (Int128)(long)places[l].B),
                    _ => Says(order, (Int128)places[l].A, (Int128)places[l].B),
                };
                bool Joins(int l) => joined == "" || (l & 1) == 1;
                uint Result(int l) => joined == "or" ? Holds(l) || Joins(l) ? 1u : 0 : Holds(l) && Joins(l) ? 1u : 0;
                uint[] Given(int l) => type switch
                {
                    "f32" => [Bits((float)pairs[l].A), 0, Bits((float)pairs[l].B), 0],
                    "f64" => [.. Words(Bits(pairs[l].A)), .. Words(Bits(pairs[l].B))],
                    _ => [.. Words(places[l].A), .. Words(places[l].B)],
                };
                var operands = type.EndsWith("64", StringComparison.Ordinal) ? "d4, d5" : "x0, x2";
                var third = joined == "" ? "" : ", h1";
                yield return new(
                    form,
                    "ld.global.b64 d4, [d0]; ld.global.b64 d5, [d0+8]; and.b32 r3, r0, 1; setp.eq.s32 h1, r3, 1; "
                    + $"{form} h0, {operands}{third}; selp.b32 y0, 1, 0, h0;",
                    Given, l => [Result(l)]);
            }
        }
    }

    /// <summary>As the ISA's table has it: with no number only the forms with u hold, and ne does not.</summary>
    private static bool SaysOfReals(string order, double a, double b)
    {
        var unordered = double.IsNaN(a) || double.IsNaN(b);
        return order.Length == 3 && order[2] == 'u'
            ? unordered || SaysOfReals(order == "neu" ? "ne" : order[..2], a, b)
            : !unordered && Says(order, a.CompareTo(b));
    }

    private static bool Says(string order, Int128 a, Int128 b) => Says(order, a.CompareTo(b));

    private static bool Says(string order, int sign) => order switch
    {
        "eq" => sign == 0,
        "ne" => sign != 0,
        "lt" or "lo" => sign < 0,
        "le" or "ls" => sign <= 0,
        "gt" or "hi" => sign > 0,
        _ => sign >= 0,
    };

    private static PtxVector One(string form, params (uint Given, uint Found)[] cases) => PtxVectors.Table(
        form, $"{form} y0, x0;", [.. cases.Select(c => ((uint[])[c.Given], c.Found))]);

    private static PtxVector Two(string form, params (uint A, uint B, uint Found)[] cases) => PtxVectors.Table(
        form, $"{form} y0, x0, x1;", [.. cases.Select(c => ((uint[])[c.A, c.B], c.Found))]);

    private static PtxVector Wide(string form, params (ulong A, ulong B, ulong Found)[] cases) =>
        Wide(form, $"{form} d6, d4, d5;", cases);

    /// <summary>Operands of 64 bits in d4 and d5, whose lower halves are x0 and x2; the result in d6.</summary>
    private static PtxVector Wide(string name, string text, params (ulong A, ulong B, ulong Found)[] cases)
    {
        (ulong A, ulong B, ulong Found) Of(int lane) => cases[lane < cases.Length ? lane : 0];
        return new(
            name,
            $"ld.global.b64 d4, [d0]; ld.global.b64 d5, [d0+8]; {text} "
            + "st.global.b64 [d1], d6; ld.global.b32 y0, [d1]; ld.global.b32 y1, [d1+4];",
            l => [.. Words(Of(l).A), .. Words(Of(l).B)], l => Words(Of(l).Found));
    }

    private static uint[] Words(ulong value) => [(uint)value, (uint)(value >> 32)];

    private static uint Bits(float value) => BitConverter.SingleToUInt32Bits(value);

    private static ulong Bits(double value) => BitConverter.DoubleToUInt64Bits(value);
}
