namespace SafeLlama.Kernels;

/// <summary>The PTX between attention's products: masks, the softmax, and what backward makes of it.</summary>
/// <remarks>
/// A lane holds of rows g and g + 8 the columns 2 t, + 1, + 8, + 9, + 16, + 17, + 24, + 25
/// (<see cref="FlashPtx"/>); the four lanes of one g hold a row between them. Exponentials are powers of two: exp(x) =
/// 2^(x · log₂ e).
/// </remarks>
internal static class FlashSoftmaxPtx
{
    /// <summary>m = −∞ and l = 0: nothing has been seen.</summary>
    public const string Begin =
        "mov.f32 m0, 0fFF800000; mov.f32 m1, 0fFF800000; mov.f32 l0, 0f00000000; mov.f32 l1, 0f00000000; ";

    /// <summary>
    /// Where the tile's columns are keys: s = −∞ outside %0 … %1 in row g, and outside %2 … %3 in row g + 8.
    /// </summary>
    public const string HideColumns =
        "setp.gt.s32 h0, %0, 0; setp.lt.or.s32 h0, %1, 0, h0; selp.f32 s0, 0fFF800000, s0, h0; "
        + "setp.gt.s32 h0, %0, 1; setp.lt.or.s32 h0, %1, 1, h0; selp.f32 s1, 0fFF800000, s1, h0; "
        + "setp.gt.s32 h0, %0, 8; setp.lt.or.s32 h0, %1, 8, h0; selp.f32 s4, 0fFF800000, s4, h0; "
        + "setp.gt.s32 h0, %0, 9; setp.lt.or.s32 h0, %1, 9, h0; selp.f32 s5, 0fFF800000, s5, h0; "
        + "setp.gt.s32 h0, %0, 16; setp.lt.or.s32 h0, %1, 16, h0; selp.f32 s8, 0fFF800000, s8, h0; "
        + "setp.gt.s32 h0, %0, 17; setp.lt.or.s32 h0, %1, 17, h0; selp.f32 s9, 0fFF800000, s9, h0; "
        + "setp.gt.s32 h0, %0, 24; setp.lt.or.s32 h0, %1, 24, h0; selp.f32 s12, 0fFF800000, s12, h0; "
        + "setp.gt.s32 h0, %0, 25; setp.lt.or.s32 h0, %1, 25, h0; selp.f32 s13, 0fFF800000, s13, h0; "
        + "setp.gt.s32 h0, %2, 0; setp.lt.or.s32 h0, %3, 0, h0; selp.f32 s2, 0fFF800000, s2, h0; "
        + "setp.gt.s32 h0, %2, 1; setp.lt.or.s32 h0, %3, 1, h0; selp.f32 s3, 0fFF800000, s3, h0; "
        + "setp.gt.s32 h0, %2, 8; setp.lt.or.s32 h0, %3, 8, h0; selp.f32 s6, 0fFF800000, s6, h0; "
        + "setp.gt.s32 h0, %2, 9; setp.lt.or.s32 h0, %3, 9, h0; selp.f32 s7, 0fFF800000, s7, h0; "
        + "setp.gt.s32 h0, %2, 16; setp.lt.or.s32 h0, %3, 16, h0; selp.f32 s10, 0fFF800000, s10, h0; "
        + "setp.gt.s32 h0, %2, 17; setp.lt.or.s32 h0, %3, 17, h0; selp.f32 s11, 0fFF800000, s11, h0; "
        + "setp.gt.s32 h0, %2, 24; setp.lt.or.s32 h0, %3, 24, h0; selp.f32 s14, 0fFF800000, s14, h0; "
        + "setp.gt.s32 h0, %2, 25; setp.lt.or.s32 h0, %3, 25, h0; selp.f32 s15, 0fFF800000, s15, h0; ";

    /// <summary>
    /// Where the tile's columns are queries: s = −∞ where key %1 (row g) or %2 (row g + 8) is outside the query's
    /// range. %0: the ranges.
    /// </summary>
    public const string HideRows =
        "ld.shared.v2.b32 {f0,f1}, [%0+0]; ld.shared.v2.b32 {f2,f3}, [%0+128]; "
        + "setp.gt.s32 h0, f0, %1; setp.lt.or.s32 h0, f2, %1, h0; selp.f32 s0, 0fFF800000, s0, h0; "
        + "setp.gt.s32 h0, f1, %1; setp.lt.or.s32 h0, f3, %1, h0; selp.f32 s1, 0fFF800000, s1, h0; "
        + "setp.gt.s32 h0, f0, %2; setp.lt.or.s32 h0, f2, %2, h0; selp.f32 s2, 0fFF800000, s2, h0; "
        + "setp.gt.s32 h0, f1, %2; setp.lt.or.s32 h0, f3, %2, h0; selp.f32 s3, 0fFF800000, s3, h0; "
        + "ld.shared.v2.b32 {f0,f1}, [%0+32]; ld.shared.v2.b32 {f2,f3}, [%0+160]; "
        + "setp.gt.s32 h0, f0, %1; setp.lt.or.s32 h0, f2, %1, h0; selp.f32 s4, 0fFF800000, s4, h0; "
        + "setp.gt.s32 h0, f1, %1; setp.lt.or.s32 h0, f3, %1, h0; selp.f32 s5, 0fFF800000, s5, h0; "
        + "setp.gt.s32 h0, f0, %2; setp.lt.or.s32 h0, f2, %2, h0; selp.f32 s6, 0fFF800000, s6, h0; "
        + "setp.gt.s32 h0, f1, %2; setp.lt.or.s32 h0, f3, %2, h0; selp.f32 s7, 0fFF800000, s7, h0; "
        + "ld.shared.v2.b32 {f0,f1}, [%0+64]; ld.shared.v2.b32 {f2,f3}, [%0+192]; "
        + "setp.gt.s32 h0, f0, %1; setp.lt.or.s32 h0, f2, %1, h0; selp.f32 s8, 0fFF800000, s8, h0; "
        + "setp.gt.s32 h0, f1, %1; setp.lt.or.s32 h0, f3, %1, h0; selp.f32 s9, 0fFF800000, s9, h0; "
        + "setp.gt.s32 h0, f0, %2; setp.lt.or.s32 h0, f2, %2, h0; selp.f32 s10, 0fFF800000, s10, h0; "
        + "setp.gt.s32 h0, f1, %2; setp.lt.or.s32 h0, f3, %2, h0; selp.f32 s11, 0fFF800000, s11, h0; "
        + "ld.shared.v2.b32 {f0,f1}, [%0+96]; ld.shared.v2.b32 {f2,f3}, [%0+224]; "
        + "setp.gt.s32 h0, f0, %1; setp.lt.or.s32 h0, f2, %1, h0; selp.f32 s12, 0fFF800000, s12, h0; "
        + "setp.gt.s32 h0, f1, %1; setp.lt.or.s32 h0, f3, %1, h0; selp.f32 s13, 0fFF800000, s13, h0; "
        + "setp.gt.s32 h0, f0, %2; setp.lt.or.s32 h0, f2, %2, h0; selp.f32 s14, 0fFF800000, s14, h0; "
        + "setp.gt.s32 h0, f1, %2; setp.lt.or.s32 h0, f3, %2, h0; selp.f32 s15, 0fFF800000, s15, h0; ";

    /// <summary>e = the larger of m and the tile's maximum in each row, which four lanes find together.</summary>
    public const string Maximum =
        "max.f32 e0, s0, s1; max.f32 e0, e0, s4; max.f32 e0, e0, s5; max.f32 e0, e0, s8; "
        + "max.f32 e0, e0, s9; max.f32 e0, e0, s12; max.f32 e0, e0, s13; "
        + "shfl.sync.bfly.b32 w0, e0, 1, 31, 4294967295; max.f32 e0, e0, w0; "
        + "shfl.sync.bfly.b32 w0, e0, 2, 31, 4294967295; max.f32 e0, e0, w0; max.f32 e0, e0, m0; "
        + "max.f32 e1, s2, s3; max.f32 e1, e1, s6; max.f32 e1, e1, s7; max.f32 e1, e1, s10; "
        + "max.f32 e1, e1, s11; max.f32 e1, e1, s14; max.f32 e1, e1, s15; "
        + "shfl.sync.bfly.b32 w1, e1, 1, 31, 4294967295; max.f32 e1, e1, w1; "
        + "shfl.sync.bfly.b32 w1, e1, 2, 31, 4294967295; max.f32 e1, e1, w1; max.f32 e1, e1, m1; ";

    /// <summary>
    /// w = exp(scale · (m − e)), what sums under the old maximum are worth under the new; then m = e. %0: scale ·
    /// log₂ e.
    /// </summary>
    public const string Worth =
        "setp.eq.f32 h0, e0, 0fFF800000; selp.f32 e0, 0f00000000, e0, h0; sub.f32 w0, m0, e0; "
        + "mul.f32 w0, w0, %0; ex2.approx.f32 w0, w0; selp.f32 m0, m0, e0, h0; mul.f32 l0, l0, w0; "
        + "setp.eq.f32 h0, e1, 0fFF800000; selp.f32 e1, 0f00000000, e1, h0; sub.f32 w1, m1, e1; "
        + "mul.f32 w1, w1, %0; ex2.approx.f32 w1, w1; selp.f32 m1, m1, e1, h0; mul.f32 l1, l1, w1; ";

    /// <summary>
    /// s = exp(scale · s − scale · e), and l += this lane's part of the row's sum. %0: scale · log₂ e.
    /// </summary>
    public const string Shares =
        "mul.f32 e0, e0, %0; neg.f32 e0, e0; "
        + "fma.rn.f32 s0, s0, %0, e0; ex2.approx.f32 s0, s0; add.f32 l0, l0, s0; "
        + "fma.rn.f32 s1, s1, %0, e0; ex2.approx.f32 s1, s1; add.f32 l0, l0, s1; "
        + "fma.rn.f32 s4, s4, %0, e0; ex2.approx.f32 s4, s4; add.f32 l0, l0, s4; "
        + "fma.rn.f32 s5, s5, %0, e0; ex2.approx.f32 s5, s5; add.f32 l0, l0, s5; "
        + "fma.rn.f32 s8, s8, %0, e0; ex2.approx.f32 s8, s8; add.f32 l0, l0, s8; "
        + "fma.rn.f32 s9, s9, %0, e0; ex2.approx.f32 s9, s9; add.f32 l0, l0, s9; "
        + "fma.rn.f32 s12, s12, %0, e0; ex2.approx.f32 s12, s12; add.f32 l0, l0, s12; "
        + "fma.rn.f32 s13, s13, %0, e0; ex2.approx.f32 s13, s13; add.f32 l0, l0, s13; "
        + "mul.f32 e1, e1, %0; neg.f32 e1, e1; "
        + "fma.rn.f32 s2, s2, %0, e1; ex2.approx.f32 s2, s2; add.f32 l1, l1, s2; "
        + "fma.rn.f32 s3, s3, %0, e1; ex2.approx.f32 s3, s3; add.f32 l1, l1, s3; "
        + "fma.rn.f32 s6, s6, %0, e1; ex2.approx.f32 s6, s6; add.f32 l1, l1, s6; "
        + "fma.rn.f32 s7, s7, %0, e1; ex2.approx.f32 s7, s7; add.f32 l1, l1, s7; "
        + "fma.rn.f32 s10, s10, %0, e1; ex2.approx.f32 s10, s10; add.f32 l1, l1, s10; "
        + "fma.rn.f32 s11, s11, %0, e1; ex2.approx.f32 s11, s11; add.f32 l1, l1, s11; "
        + "fma.rn.f32 s14, s14, %0, e1; ex2.approx.f32 s14, s14; add.f32 l1, l1, s14; "
        + "fma.rn.f32 s15, s15, %0, e1; ex2.approx.f32 s15, s15; add.f32 l1, l1, s15; ";

    /// <summary>
    /// w = 1 / Σ and l = logSum, of each row; the sum of four lanes' parts. %0: scale · log₂ e; 0f3F317218 is ln 2.
    /// </summary>
    public const string Finish =
        "shfl.sync.bfly.b32 e0, l0, 1, 31, 4294967295; add.f32 l0, l0, e0; "
        + "shfl.sync.bfly.b32 e0, l0, 2, 31, 4294967295; add.f32 l0, l0, e0; "
        + "rcp.rn.f32 w0, l0; lg2.approx.f32 l0, l0; fma.rn.f32 l0, m0, %0, l0; mul.f32 l0, l0, 0f3F317218; "
        + "shfl.sync.bfly.b32 e1, l1, 1, 31, 4294967295; add.f32 l1, l1, e1; "
        + "shfl.sync.bfly.b32 e1, l1, 2, 31, 4294967295; add.f32 l1, l1, e1; "
        + "rcp.rn.f32 w1, l1; lg2.approx.f32 l1, l1; fma.rn.f32 l1, m1, %0, l1; mul.f32 l1, l1, 0f3F317218; ";

    /// <summary>Stores logSum of row g to %0 if %2 is not 0, and of row g + 8 to %1 if %3 is not 0.</summary>
    public const string StoreLogSum =
        "setp.ne.s32 h0, %2, 0; @h0 st.global.f32 [%0], l0; "
        + "setp.ne.s32 h0, %3, 0; @h0 st.global.f32 [%1], l1; ";

    /// <summary>w = %0 in both rows.</summary>
    public const string Scale =
        "mov.f32 w0, %0; mov.f32 w1, %0; ";

    /// <summary>s = p, made anew. %0: scale · log₂ e; %1, %2: −logSum · log₂ e of rows g and g + 8.</summary>
    public const string SharesByRow =
        "fma.rn.f32 s0, s0, %0, %1; ex2.approx.f32 s0, s0; "
        + "fma.rn.f32 s1, s1, %0, %1; ex2.approx.f32 s1, s1; "
        + "fma.rn.f32 s4, s4, %0, %1; ex2.approx.f32 s4, s4; "
        + "fma.rn.f32 s5, s5, %0, %1; ex2.approx.f32 s5, s5; "
        + "fma.rn.f32 s8, s8, %0, %1; ex2.approx.f32 s8, s8; "
        + "fma.rn.f32 s9, s9, %0, %1; ex2.approx.f32 s9, s9; "
        + "fma.rn.f32 s12, s12, %0, %1; ex2.approx.f32 s12, s12; "
        + "fma.rn.f32 s13, s13, %0, %1; ex2.approx.f32 s13, s13; "
        + "fma.rn.f32 s2, s2, %0, %2; ex2.approx.f32 s2, s2; "
        + "fma.rn.f32 s3, s3, %0, %2; ex2.approx.f32 s3, s3; "
        + "fma.rn.f32 s6, s6, %0, %2; ex2.approx.f32 s6, s6; "
        + "fma.rn.f32 s7, s7, %0, %2; ex2.approx.f32 s7, s7; "
        + "fma.rn.f32 s10, s10, %0, %2; ex2.approx.f32 s10, s10; "
        + "fma.rn.f32 s11, s11, %0, %2; ex2.approx.f32 s11, s11; "
        + "fma.rn.f32 s14, s14, %0, %2; ex2.approx.f32 s14, s14; "
        + "fma.rn.f32 s15, s15, %0, %2; ex2.approx.f32 s15, s15; ";

    /// <summary>The same where queries are columns. %1: their statistics; 0fBFB8AA3B is −log₂ e.</summary>
    public const string SharesByColumn =
        "ld.shared.v2.f32 {e0,e1}, [%1+256]; mul.f32 e0, e0, 0fBFB8AA3B; mul.f32 e1, e1, 0fBFB8AA3B; "
        + "fma.rn.f32 s0, s0, %0, e0; ex2.approx.f32 s0, s0; "
        + "fma.rn.f32 s1, s1, %0, e1; ex2.approx.f32 s1, s1; "
        + "fma.rn.f32 s2, s2, %0, e0; ex2.approx.f32 s2, s2; "
        + "fma.rn.f32 s3, s3, %0, e1; ex2.approx.f32 s3, s3; "
        + "ld.shared.v2.f32 {e0,e1}, [%1+288]; mul.f32 e0, e0, 0fBFB8AA3B; mul.f32 e1, e1, 0fBFB8AA3B; "
        + "fma.rn.f32 s4, s4, %0, e0; ex2.approx.f32 s4, s4; "
        + "fma.rn.f32 s5, s5, %0, e1; ex2.approx.f32 s5, s5; "
        + "fma.rn.f32 s6, s6, %0, e0; ex2.approx.f32 s6, s6; "
        + "fma.rn.f32 s7, s7, %0, e1; ex2.approx.f32 s7, s7; "
        + "ld.shared.v2.f32 {e0,e1}, [%1+320]; mul.f32 e0, e0, 0fBFB8AA3B; mul.f32 e1, e1, 0fBFB8AA3B; "
        + "fma.rn.f32 s8, s8, %0, e0; ex2.approx.f32 s8, s8; "
        + "fma.rn.f32 s9, s9, %0, e1; ex2.approx.f32 s9, s9; "
        + "fma.rn.f32 s10, s10, %0, e0; ex2.approx.f32 s10, s10; "
        + "fma.rn.f32 s11, s11, %0, e1; ex2.approx.f32 s11, s11; "
        + "ld.shared.v2.f32 {e0,e1}, [%1+352]; mul.f32 e0, e0, 0fBFB8AA3B; mul.f32 e1, e1, 0fBFB8AA3B; "
        + "fma.rn.f32 s12, s12, %0, e0; ex2.approx.f32 s12, s12; "
        + "fma.rn.f32 s13, s13, %0, e1; ex2.approx.f32 s13, s13; "
        + "fma.rn.f32 s14, s14, %0, e0; ex2.approx.f32 s14, s14; "
        + "fma.rn.f32 s15, s15, %0, e1; ex2.approx.f32 s15, s15; ";

    /// <summary>s = ds = p · (t − δ). %0, %1: δ of rows g and g + 8.</summary>
    public const string SlopesByRow =
        "sub.f32 t0, t0, %0; mul.f32 s0, s0, t0; "
        + "sub.f32 t1, t1, %0; mul.f32 s1, s1, t1; "
        + "sub.f32 t4, t4, %0; mul.f32 s4, s4, t4; "
        + "sub.f32 t5, t5, %0; mul.f32 s5, s5, t5; "
        + "sub.f32 t8, t8, %0; mul.f32 s8, s8, t8; "
        + "sub.f32 t9, t9, %0; mul.f32 s9, s9, t9; "
        + "sub.f32 t12, t12, %0; mul.f32 s12, s12, t12; "
        + "sub.f32 t13, t13, %0; mul.f32 s13, s13, t13; "
        + "sub.f32 t2, t2, %1; mul.f32 s2, s2, t2; "
        + "sub.f32 t3, t3, %1; mul.f32 s3, s3, t3; "
        + "sub.f32 t6, t6, %1; mul.f32 s6, s6, t6; "
        + "sub.f32 t7, t7, %1; mul.f32 s7, s7, t7; "
        + "sub.f32 t10, t10, %1; mul.f32 s10, s10, t10; "
        + "sub.f32 t11, t11, %1; mul.f32 s11, s11, t11; "
        + "sub.f32 t14, t14, %1; mul.f32 s14, s14, t14; "
        + "sub.f32 t15, t15, %1; mul.f32 s15, s15, t15; ";

    /// <summary>The same where queries are columns. %0: their statistics.</summary>
    public const string SlopesByColumn =
        "ld.shared.v2.f32 {e0,e1}, [%0+384]; "
        + "sub.f32 t0, t0, e0; mul.f32 s0, s0, t0; "
        + "sub.f32 t1, t1, e1; mul.f32 s1, s1, t1; "
        + "sub.f32 t2, t2, e0; mul.f32 s2, s2, t2; "
        + "sub.f32 t3, t3, e1; mul.f32 s3, s3, t3; "
        + "ld.shared.v2.f32 {e0,e1}, [%0+416]; "
        + "sub.f32 t4, t4, e0; mul.f32 s4, s4, t4; "
        + "sub.f32 t5, t5, e1; mul.f32 s5, s5, t5; "
        + "sub.f32 t6, t6, e0; mul.f32 s6, s6, t6; "
        + "sub.f32 t7, t7, e1; mul.f32 s7, s7, t7; "
        + "ld.shared.v2.f32 {e0,e1}, [%0+448]; "
        + "sub.f32 t8, t8, e0; mul.f32 s8, s8, t8; "
        + "sub.f32 t9, t9, e1; mul.f32 s9, s9, t9; "
        + "sub.f32 t10, t10, e0; mul.f32 s10, s10, t10; "
        + "sub.f32 t11, t11, e1; mul.f32 s11, s11, t11; "
        + "ld.shared.v2.f32 {e0,e1}, [%0+480]; "
        + "sub.f32 t12, t12, e0; mul.f32 s12, s12, t12; "
        + "sub.f32 t13, t13, e1; mul.f32 s13, s13, t13; "
        + "sub.f32 t14, t14, e0; mul.f32 s14, s14, t14; "
        + "sub.f32 t15, t15, e1; mul.f32 s15, s15, t15; ";
}
