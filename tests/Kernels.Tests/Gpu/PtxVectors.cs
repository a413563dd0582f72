namespace SafeLlama.Kernels.Tests;

/// <summary>
/// What the PTX ISA (8.4) says of the instructions that kernels rely on, written down from its tables.
/// </summary>
internal static class PtxVectors
{
    private const uint Infinity = 0x7F800000, MinusInfinity = 0xFF800000, NotANumber = 0x7FC00000;

    public static IEnumerable<PtxVector> All =>
    [
        Table("shl.b32", "shl.b32 y0, x0, x1;", ([1, 31], 0x80000000), ([1, 32], 0), ([3, 40], 0)),
        Table("shr.s32", "shr.s32 y0, x0, x1;", ([0x80000000, 31], 0xFFFFFFFF), ([0x80000000, 50], 0xFFFFFFFF),
            ([64, 40], 0)),
        Table("shr.u32", "shr.u32 y0, x0, x1;", ([0x80000000, 31], 1), ([0x80000000, 32], 0)),
        Table("rem.s32", "rem.s32 y0, x0, x1;", ([7, 3], 1), ([unchecked((uint)-7), 3], unchecked((uint)-1))),
        Table("div.s32", "div.s32 y0, x0, x1;", ([7, 3], 2), ([unchecked((uint)-7), 3], unchecked((uint)-2))),
        Table("selp.b32", "setp.lt.s32 h0, x0, x1; selp.b32 y0, x0, x1, h0;",
            ([unchecked((uint)-1), 1], unchecked((uint)-1)), ([2, 1], 1)),
        Table(
            "setp.lt.or.s32", "setp.gt.s32 h0, x0, x1; setp.lt.or.s32 h0, x0, 5, h0; selp.b32 y0, 1, 0, h0;",
            ([4, 9], 1), ([7, 9], 0), ([10, 9], 1)),
        Table(
            "max.f32", "max.f32 y0, x0, x1;",
            ([NotANumber, Bits(3)], Bits(3)), ([Bits(3), NotANumber], Bits(3)), ([Bits(-0f), Bits(0)], Bits(0)),
            ([MinusInfinity, Bits(-9)], Bits(-9))),
        Table(
            "min.f32", "min.f32 y0, x0, x1;",
            ([NotANumber, Bits(3)], Bits(3)), ([Bits(0), Bits(-0f)], Bits(-0f)), ([Infinity, Bits(9)], Bits(9))),

        // One rounding: (1 + 2⁻¹²)² − (1 + 2⁻¹¹) is 2⁻²⁴, which a rounded product would have lost.
        Table("fma.rn.f32", "fma.rn.f32 y0, x0, x0, x1;",
            ([Bits(1 + (1 / 4096f)), Bits(-1 - (1 / 2048f))], Bits(MathF.ScaleB(1, -24)))),
        Table(
            "cvt.rn.bf16x2.f32", "cvt.rn.bf16x2.f32 y0, x0, x1;",     // the first becomes the upper half
            ([Bits(1), Bits(2)], 0x3F804000),
            ([Bits(1 + (1 / 256f)), Bits(1 + (3 / 256f))], 0x3F803F82),     // ties, to even
            ([Bits(float.MaxValue), Bits(-0f)], 0x7F808000),
            ([Infinity, MinusInfinity], 0x7F80FF80)),
        Table(
            "rcp.rn.f32", "rcp.rn.f32 y0, x0;",
            ([Infinity], 0), ([MinusInfinity], Bits(-0f)), ([0], Infinity), ([Bits(-0f)], MinusInfinity),
            ([Bits(3)], Bits(1f / 3))),

        // Within 2⁻²² of the true value: four units of the last place at most.
        Table(
            "ex2.approx.f32", "ex2.approx.f32 y0, x0;",
            ([MinusInfinity], 0), ([0], Bits(1)), ([Bits(-0f)], Bits(1)), ([Infinity], Infinity),
            ([NotANumber], NotANumber),
            ([Bits(0.5f)], Bits(1.41421356f)), ([Bits(-3)], Bits(0.125f))) with { UlpTolerance = 4 },
        Table(
            "lg2.approx.f32", "lg2.approx.f32 y0, x0;",
            ([0], MinusInfinity), ([Bits(-0f)], MinusInfinity), ([Infinity], Infinity), ([Bits(-1)], NotANumber),
            ([NotANumber], NotANumber),
            ([Bits(8)], Bits(3)), ([Bits(10)], Bits(3.32192809f))) with { UlpTolerance = 4 },
        new("shfl.sync.bfly.b32", "shfl.sync.bfly.b32 y0, x0, 5, 31, 4294967295;", l => [100u + (uint)l],
            l => [100u + (uint)(l ^ 5)]),
        new("ldmatrix.x4", LoadMatrices(""), MatrixRows,
            l => [.. Enumerable.Range(0, 4).Select(i => Pair(i, l / 4, 2 * (l % 4), 0, 1))]),
        new("ldmatrix.x4.trans", LoadMatrices(".trans"), MatrixRows,
            l => [.. Enumerable.Range(0, 4).Select(i => Pair(i, 2 * (l % 4), l / 4, 1, 0))]),
        new("cp.async with fewer bytes", Copy(4), l => [(uint)l, 0, 0, 0], l => [(uint)(l / 8 * 8), 0, 0, 0]),
        Product(),
    ];

    /// <summary>Cases one to a lane, the first repeated in the rest.</summary>
    internal static PtxVector Table(string name, string text, params (uint[] Given, uint Found)[] cases) =>
        new(name, text, l => cases[l < cases.Length ? l : 0].Given, l => [cases[l < cases.Length ? l : 0].Found]);

    /// <summary>Every lane lays down 16 bytes, a row of a matrix; the four matrices are loaded from there.</summary>
    private static string LoadMatrices(string turned) =>
        "st.shared.v4.b32 [r1], {x0,x1,x2,x3}; bar.sync 0; "
        + $"ldmatrix.sync.aligned.m8n8.x4{turned}.shared.b16 {{y0,y1,y2,y3}}, [r1];";

    /// <summary>Lane 8 i + r holds row r of matrix i; element (r, c) is 64 i + 8 r + c.</summary>
    private static uint[] MatrixRows(int lane) =>
        [.. Enumerable.Range(0,
            4).Select(w => (uint)((8 * lane) + (2 * w)) | ((uint)((8 * lane) + (2 * w) + 1) << 16))];

    /// <summary>An element of matrix i in the lower half, and the one a step further in the upper.</summary>
    private static uint Pair(int i, int row, int column, int down, int right) =>
        (uint)((64 * i) + (8 * row) + column) | ((uint)((64 * i) + (8 * (row + down)) + column + right) << 16);

    /// <summary>Copies some bytes of every eighth lane's 16 inputs; the rest of the 16 must become zero.</summary>
    private static string Copy(int bytes) =>
        "and.b32 r3, r0, 7; mul.wide.u32 d4, r3, 16; sub.s64 d5, d0, d4; cp.async.cg.shared.global [r1], [d5], 16, "
        + $"{bytes}; "
        + "cp.async.commit_group; cp.async.wait_group 0; ld.shared.v4.b32 {y0,y1,y2,y3}, [r1];";

    /// <summary>
    /// "Matrix fragments for mma.m16n8k16": whole numbers, placed by the ISA's formulas, so that every sum is exact.
    /// </summary>
    private static PtxVector Product()
    {
        static int A(int row, int k) => ((3 * row) + (5 * k)) % 7 - 3;
        static int B(int k, int column) => ((2 * k) + (11 * column)) % 5 - 2;
        static uint Two(int low, int high) => (Bits(low) >> 16) | (Bits(high) & 0xFFFF0000);
        static uint[] Given(int lane)
        {
            var (g, t) = (lane >> 2, 2 * (lane & 3));
            return
            [
                Two(A(g, t), A(g, t + 1)), Two(A(g + 8, t), A(g + 8, t + 1)),
                Two(A(g, t + 8), A(g, t + 9)), Two(A(g + 8, t + 8), A(g + 8, t + 9)),
                Two(B(t, g), B(t + 1, g)), Two(B(t + 8, g), B(t + 9, g)),
            ];
        }

        static uint[] Found(int lane) => [.. Enumerable.Range(0, 4).Select(i =>
        {
            var (row, column) = ((lane >> 2) + (i < 2 ? 0 : 8), (2 * (lane & 3)) + (i & 1));
            return Bits(2 + Enumerable.Range(0, 16).Sum(k => A(row, k) * B(k, column)));
        })];
        return new(
            "mma.m16n8k16",
            "mov.b32 y0, 0f40000000; mov.b32 y1, y0; mov.b32 y2, y0; mov.b32 y3, y0; "
            + "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {y0,y1,y2,y3},{x0,x1,x2,x3},{x4,x5},{y0,y1,y2,y3};",
            Given, Found);
    }

    internal static uint Bits(float value) => BitConverter.SingleToUInt32Bits(value);
}
