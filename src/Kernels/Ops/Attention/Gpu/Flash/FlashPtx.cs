namespace SafeLlama.Kernels;

/// <summary>The PTX of a warp's part of attention: products of 16 rows, operands and sums named in PTX.</summary>
/// <remarks>
/// <code>
/// a0 … a31   16 rows × 128 columns of bf16: the operand whose rows the warp owns
/// c0 … c31   the same of a second one (backward)
/// b0 … b7    32 rows × 16 columns of the tile that passes by, or 16 × 32 of it, turned
/// s0 … s15   16 × 32 sums: scores, then shares p, then ds
/// t0 … t15   16 × 32 sums of the second product (backward)
/// p0 … p7    s rounded to bf16, in the order in which mma.sync wants a left operand
/// o0 … o63   16 × 128 sums of the result
///
/// mma.m16n8k16: lane l = 4 g + t holds of each 16 × 8 fragment of sums i
///                columns 8 i + 2 t, + 1
///     row g          s[4 i]      s[4 i + 1]
///     row g + 8      s[4 i + 2]  s[4 i + 3]
/// and of a left operand, 16 × 16, the same rows at columns 2 t, + 1 and 2 t + 8, + 9: two fragments of sums, side by
/// side, rounded and paired, are one left operand. So p never leaves the registers.
/// </code>
/// Why names: <c>docs/decisions/0005-registers-named-in-ptx.md</c>. Text comes in blocks of 32 columns of the head, so
/// that a head of 64 takes two of them and one of 128 four.
/// </remarks>
internal static class FlashPtx
{
    /// <summary>Declares the registers; goes into a kernel once, before anything else.</summary>
    public const string Declare = ".reg .b32 a<32>; .reg .b32 c<32>; .reg .b32 b<8>; .reg .b32 p<8>; .reg .f32 s<16>;"
        + " .reg .f32 t<16>; .reg .f32 o<64>; .reg .f32 m<2>; .reg .f32 l<2>; .reg .f32 w<2>; .reg .f32 e<2>;"
        + " .reg .b32 f<4>; .reg .pred h<1>;";

    /// <summary>s = 0.</summary>
    public const string ClearScores =
        "mov.f32 s0, 0f00000000; mov.f32 s1, 0f00000000; mov.f32 s2, 0f00000000; mov.f32 s3, 0f00000000; "
        + "mov.f32 s4, 0f00000000; mov.f32 s5, 0f00000000; mov.f32 s6, 0f00000000; mov.f32 s7, 0f00000000; "
        + "mov.f32 s8, 0f00000000; mov.f32 s9, 0f00000000; mov.f32 s10, 0f00000000; mov.f32 s11, 0f00000000; "
        + "mov.f32 s12, 0f00000000; mov.f32 s13, 0f00000000; mov.f32 s14, 0f00000000; mov.f32 s15, 0f00000000; ";

    /// <summary>t = 0.</summary>
    public const string ClearOthers =
        "mov.f32 t0, 0f00000000; mov.f32 t1, 0f00000000; mov.f32 t2, 0f00000000; mov.f32 t3, 0f00000000; "
        + "mov.f32 t4, 0f00000000; mov.f32 t5, 0f00000000; mov.f32 t6, 0f00000000; mov.f32 t7, 0f00000000; "
        + "mov.f32 t8, 0f00000000; mov.f32 t9, 0f00000000; mov.f32 t10, 0f00000000; mov.f32 t11, 0f00000000; "
        + "mov.f32 t12, 0f00000000; mov.f32 t13, 0f00000000; mov.f32 t14, 0f00000000; mov.f32 t15, 0f00000000; ";

    /// <summary>a: the rows that the warp owns, columns 0 … 31. %0: this lane's row.</summary>
    public const string LoadRows0 = AsStored + "{a0,a1,a2,a3}, [%0+0]; "
        + AsStored + "{a4,a5,a6,a7}, [%0+32]; ";

    /// <summary>a: the rows that the warp owns, columns 32 … 63. %0: this lane's row.</summary>
    public const string LoadRows1 = AsStored + "{a8,a9,a10,a11}, [%0+64]; "
        + AsStored + "{a12,a13,a14,a15}, [%0+96]; ";

    /// <summary>a: the rows that the warp owns, columns 64 … 95. %0: this lane's row.</summary>
    public const string LoadRows2 = AsStored + "{a16,a17,a18,a19}, [%0+128]; "
        + AsStored + "{a20,a21,a22,a23}, [%0+160]; ";

    /// <summary>a: the rows that the warp owns, columns 96 … 127. %0: this lane's row.</summary>
    public const string LoadRows3 = AsStored + "{a24,a25,a26,a27}, [%0+192]; "
        + AsStored + "{a28,a29,a30,a31}, [%0+224]; ";

    /// <summary>c: the second operand's rows, columns 0 … 31. %0: this lane's row.</summary>
    public const string LoadOthers0 = AsStored + "{c0,c1,c2,c3}, [%0+0]; "
        + AsStored + "{c4,c5,c6,c7}, [%0+32]; ";

    /// <summary>c: the second operand's rows, columns 32 … 63. %0: this lane's row.</summary>
    public const string LoadOthers1 = AsStored + "{c8,c9,c10,c11}, [%0+64]; "
        + AsStored + "{c12,c13,c14,c15}, [%0+96]; ";

    /// <summary>c: the second operand's rows, columns 64 … 95. %0: this lane's row.</summary>
    public const string LoadOthers2 = AsStored + "{c16,c17,c18,c19}, [%0+128]; "
        + AsStored + "{c20,c21,c22,c23}, [%0+160]; ";

    /// <summary>c: the second operand's rows, columns 96 … 127. %0: this lane's row.</summary>
    public const string LoadOthers3 = AsStored + "{c24,c25,c26,c27}, [%0+192]; "
        + AsStored + "{c28,c29,c30,c31}, [%0+224]; ";

    /// <summary>s += a · tileᵀ, over columns 0 … 31. %0, %1: this lane's rows of the tile's halves.</summary>
    public const string Scores0 =
        AsStored + "{b0,b1,b2,b3}, [%0+0]; " + AsStored + "{b4,b5,b6,b7}, [%1+0]; "
        + Product + "{s0,s1,s2,s3},{a0,a1,a2,a3},{b0,b1},{s0,s1,s2,s3}; "
        + Product + "{s4,s5,s6,s7},{a0,a1,a2,a3},{b2,b3},{s4,s5,s6,s7}; "
        + Product + "{s8,s9,s10,s11},{a0,a1,a2,a3},{b4,b5},{s8,s9,s10,s11}; "
        + Product + "{s12,s13,s14,s15},{a0,a1,a2,a3},{b6,b7},{s12,s13,s14,s15}; "
        + AsStored + "{b0,b1,b2,b3}, [%0+32]; " + AsStored + "{b4,b5,b6,b7}, [%1+32]; "
        + Product + "{s0,s1,s2,s3},{a4,a5,a6,a7},{b0,b1},{s0,s1,s2,s3}; "
        + Product + "{s4,s5,s6,s7},{a4,a5,a6,a7},{b2,b3},{s4,s5,s6,s7}; "
        + Product + "{s8,s9,s10,s11},{a4,a5,a6,a7},{b4,b5},{s8,s9,s10,s11}; "
        + Product + "{s12,s13,s14,s15},{a4,a5,a6,a7},{b6,b7},{s12,s13,s14,s15}; ";

    /// <summary>s += a · tileᵀ, over columns 32 … 63. %0, %1: this lane's rows of the tile's halves.</summary>
    public const string Scores1 =
        AsStored + "{b0,b1,b2,b3}, [%0+64]; " + AsStored + "{b4,b5,b6,b7}, [%1+64]; "
        + Product + "{s0,s1,s2,s3},{a8,a9,a10,a11},{b0,b1},{s0,s1,s2,s3}; "
        + Product + "{s4,s5,s6,s7},{a8,a9,a10,a11},{b2,b3},{s4,s5,s6,s7}; "
        + Product + "{s8,s9,s10,s11},{a8,a9,a10,a11},{b4,b5},{s8,s9,s10,s11}; "
        + Product + "{s12,s13,s14,s15},{a8,a9,a10,a11},{b6,b7},{s12,s13,s14,s15}; "
        + AsStored + "{b0,b1,b2,b3}, [%0+96]; " + AsStored + "{b4,b5,b6,b7}, [%1+96]; "
        + Product + "{s0,s1,s2,s3},{a12,a13,a14,a15},{b0,b1},{s0,s1,s2,s3}; "
        + Product + "{s4,s5,s6,s7},{a12,a13,a14,a15},{b2,b3},{s4,s5,s6,s7}; "
        + Product + "{s8,s9,s10,s11},{a12,a13,a14,a15},{b4,b5},{s8,s9,s10,s11}; "
        + Product + "{s12,s13,s14,s15},{a12,a13,a14,a15},{b6,b7},{s12,s13,s14,s15}; ";

    /// <summary>s += a · tileᵀ, over columns 64 … 95. %0, %1: this lane's rows of the tile's halves.</summary>
    public const string Scores2 =
        AsStored + "{b0,b1,b2,b3}, [%0+128]; " + AsStored + "{b4,b5,b6,b7}, [%1+128]; "
        + Product + "{s0,s1,s2,s3},{a16,a17,a18,a19},{b0,b1},{s0,s1,s2,s3}; "
        + Product + "{s4,s5,s6,s7},{a16,a17,a18,a19},{b2,b3},{s4,s5,s6,s7}; "
        + Product + "{s8,s9,s10,s11},{a16,a17,a18,a19},{b4,b5},{s8,s9,s10,s11}; "
        + Product + "{s12,s13,s14,s15},{a16,a17,a18,a19},{b6,b7},{s12,s13,s14,s15}; "
        + AsStored + "{b0,b1,b2,b3}, [%0+160]; " + AsStored + "{b4,b5,b6,b7}, [%1+160]; "
        + Product + "{s0,s1,s2,s3},{a20,a21,a22,a23},{b0,b1},{s0,s1,s2,s3}; "
        + Product + "{s4,s5,s6,s7},{a20,a21,a22,a23},{b2,b3},{s4,s5,s6,s7}; "
        + Product + "{s8,s9,s10,s11},{a20,a21,a22,a23},{b4,b5},{s8,s9,s10,s11}; "
        + Product + "{s12,s13,s14,s15},{a20,a21,a22,a23},{b6,b7},{s12,s13,s14,s15}; ";

    /// <summary>s += a · tileᵀ, over columns 96 … 127. %0, %1: this lane's rows of the tile's halves.</summary>
    public const string Scores3 =
        AsStored + "{b0,b1,b2,b3}, [%0+192]; " + AsStored + "{b4,b5,b6,b7}, [%1+192]; "
        + Product + "{s0,s1,s2,s3},{a24,a25,a26,a27},{b0,b1},{s0,s1,s2,s3}; "
        + Product + "{s4,s5,s6,s7},{a24,a25,a26,a27},{b2,b3},{s4,s5,s6,s7}; "
        + Product + "{s8,s9,s10,s11},{a24,a25,a26,a27},{b4,b5},{s8,s9,s10,s11}; "
        + Product + "{s12,s13,s14,s15},{a24,a25,a26,a27},{b6,b7},{s12,s13,s14,s15}; "
        + AsStored + "{b0,b1,b2,b3}, [%0+224]; " + AsStored + "{b4,b5,b6,b7}, [%1+224]; "
        + Product + "{s0,s1,s2,s3},{a28,a29,a30,a31},{b0,b1},{s0,s1,s2,s3}; "
        + Product + "{s4,s5,s6,s7},{a28,a29,a30,a31},{b2,b3},{s4,s5,s6,s7}; "
        + Product + "{s8,s9,s10,s11},{a28,a29,a30,a31},{b4,b5},{s8,s9,s10,s11}; "
        + Product + "{s12,s13,s14,s15},{a28,a29,a30,a31},{b6,b7},{s12,s13,s14,s15}; ";

    /// <summary>t += c · tileᵀ, over columns 0 … 31. %0, %1: this lane's rows of the tile's halves.</summary>
    public const string Others0 =
        AsStored + "{b0,b1,b2,b3}, [%0+0]; " + AsStored + "{b4,b5,b6,b7}, [%1+0]; "
        + Product + "{t0,t1,t2,t3},{c0,c1,c2,c3},{b0,b1},{t0,t1,t2,t3}; "
        + Product + "{t4,t5,t6,t7},{c0,c1,c2,c3},{b2,b3},{t4,t5,t6,t7}; "
        + Product + "{t8,t9,t10,t11},{c0,c1,c2,c3},{b4,b5},{t8,t9,t10,t11}; "
        + Product + "{t12,t13,t14,t15},{c0,c1,c2,c3},{b6,b7},{t12,t13,t14,t15}; "
        + AsStored + "{b0,b1,b2,b3}, [%0+32]; " + AsStored + "{b4,b5,b6,b7}, [%1+32]; "
        + Product + "{t0,t1,t2,t3},{c4,c5,c6,c7},{b0,b1},{t0,t1,t2,t3}; "
        + Product + "{t4,t5,t6,t7},{c4,c5,c6,c7},{b2,b3},{t4,t5,t6,t7}; "
        + Product + "{t8,t9,t10,t11},{c4,c5,c6,c7},{b4,b5},{t8,t9,t10,t11}; "
        + Product + "{t12,t13,t14,t15},{c4,c5,c6,c7},{b6,b7},{t12,t13,t14,t15}; ";

    /// <summary>t += c · tileᵀ, over columns 32 … 63. %0, %1: this lane's rows of the tile's halves.</summary>
    public const string Others1 =
        AsStored + "{b0,b1,b2,b3}, [%0+64]; " + AsStored + "{b4,b5,b6,b7}, [%1+64]; "
        + Product + "{t0,t1,t2,t3},{c8,c9,c10,c11},{b0,b1},{t0,t1,t2,t3}; "
        + Product + "{t4,t5,t6,t7},{c8,c9,c10,c11},{b2,b3},{t4,t5,t6,t7}; "
        + Product + "{t8,t9,t10,t11},{c8,c9,c10,c11},{b4,b5},{t8,t9,t10,t11}; "
        + Product + "{t12,t13,t14,t15},{c8,c9,c10,c11},{b6,b7},{t12,t13,t14,t15}; "
        + AsStored + "{b0,b1,b2,b3}, [%0+96]; " + AsStored + "{b4,b5,b6,b7}, [%1+96]; "
        + Product + "{t0,t1,t2,t3},{c12,c13,c14,c15},{b0,b1},{t0,t1,t2,t3}; "
        + Product + "{t4,t5,t6,t7},{c12,c13,c14,c15},{b2,b3},{t4,t5,t6,t7}; "
        + Product + "{t8,t9,t10,t11},{c12,c13,c14,c15},{b4,b5},{t8,t9,t10,t11}; "
        + Product + "{t12,t13,t14,t15},{c12,c13,c14,c15},{b6,b7},{t12,t13,t14,t15}; ";

    /// <summary>t += c · tileᵀ, over columns 64 … 95. %0, %1: this lane's rows of the tile's halves.</summary>
    public const string Others2 =
        AsStored + "{b0,b1,b2,b3}, [%0+128]; " + AsStored + "{b4,b5,b6,b7}, [%1+128]; "
        + Product + "{t0,t1,t2,t3},{c16,c17,c18,c19},{b0,b1},{t0,t1,t2,t3}; "
        + Product + "{t4,t5,t6,t7},{c16,c17,c18,c19},{b2,b3},{t4,t5,t6,t7}; "
        + Product + "{t8,t9,t10,t11},{c16,c17,c18,c19},{b4,b5},{t8,t9,t10,t11}; "
        + Product + "{t12,t13,t14,t15},{c16,c17,c18,c19},{b6,b7},{t12,t13,t14,t15}; "
        + AsStored + "{b0,b1,b2,b3}, [%0+160]; " + AsStored + "{b4,b5,b6,b7}, [%1+160]; "
        + Product + "{t0,t1,t2,t3},{c20,c21,c22,c23},{b0,b1},{t0,t1,t2,t3}; "
        + Product + "{t4,t5,t6,t7},{c20,c21,c22,c23},{b2,b3},{t4,t5,t6,t7}; "
        + Product + "{t8,t9,t10,t11},{c20,c21,c22,c23},{b4,b5},{t8,t9,t10,t11}; "
        + Product + "{t12,t13,t14,t15},{c20,c21,c22,c23},{b6,b7},{t12,t13,t14,t15}; ";

    /// <summary>t += c · tileᵀ, over columns 96 … 127. %0, %1: this lane's rows of the tile's halves.</summary>
    public const string Others3 =
        AsStored + "{b0,b1,b2,b3}, [%0+192]; " + AsStored + "{b4,b5,b6,b7}, [%1+192]; "
        + Product + "{t0,t1,t2,t3},{c24,c25,c26,c27},{b0,b1},{t0,t1,t2,t3}; "
        + Product + "{t4,t5,t6,t7},{c24,c25,c26,c27},{b2,b3},{t4,t5,t6,t7}; "
        + Product + "{t8,t9,t10,t11},{c24,c25,c26,c27},{b4,b5},{t8,t9,t10,t11}; "
        + Product + "{t12,t13,t14,t15},{c24,c25,c26,c27},{b6,b7},{t12,t13,t14,t15}; "
        + AsStored + "{b0,b1,b2,b3}, [%0+224]; " + AsStored + "{b4,b5,b6,b7}, [%1+224]; "
        + Product + "{t0,t1,t2,t3},{c28,c29,c30,c31},{b0,b1},{t0,t1,t2,t3}; "
        + Product + "{t4,t5,t6,t7},{c28,c29,c30,c31},{b2,b3},{t4,t5,t6,t7}; "
        + Product + "{t8,t9,t10,t11},{c28,c29,c30,c31},{b4,b5},{t8,t9,t10,t11}; "
        + Product + "{t12,t13,t14,t15},{c28,c29,c30,c31},{b6,b7},{t12,t13,t14,t15}; ";

    /// <summary>o += p · tile in columns 0 … 31. %0, %1: this lane's rows of the tile's halves.</summary>
    public const string Gather0 =
        Transposed + "{b0,b1,b2,b3}, [%0+0]; " + Transposed + "{b4,b5,b6,b7}, [%0+32]; "
        + Product + "{o0,o1,o2,o3},{p0,p1,p2,p3},{b0,b1},{o0,o1,o2,o3}; "
        + Product + "{o4,o5,o6,o7},{p0,p1,p2,p3},{b2,b3},{o4,o5,o6,o7}; "
        + Product + "{o8,o9,o10,o11},{p0,p1,p2,p3},{b4,b5},{o8,o9,o10,o11}; "
        + Product + "{o12,o13,o14,o15},{p0,p1,p2,p3},{b6,b7},{o12,o13,o14,o15}; "
        + Transposed + "{b0,b1,b2,b3}, [%1+0]; " + Transposed + "{b4,b5,b6,b7}, [%1+32]; "
        + Product + "{o0,o1,o2,o3},{p4,p5,p6,p7},{b0,b1},{o0,o1,o2,o3}; "
        + Product + "{o4,o5,o6,o7},{p4,p5,p6,p7},{b2,b3},{o4,o5,o6,o7}; "
        + Product + "{o8,o9,o10,o11},{p4,p5,p6,p7},{b4,b5},{o8,o9,o10,o11}; "
        + Product + "{o12,o13,o14,o15},{p4,p5,p6,p7},{b6,b7},{o12,o13,o14,o15}; ";

    /// <summary>o += p · tile in columns 32 … 63. %0, %1: this lane's rows of the tile's halves.</summary>
    public const string Gather1 =
        Transposed + "{b0,b1,b2,b3}, [%0+64]; " + Transposed + "{b4,b5,b6,b7}, [%0+96]; "
        + Product + "{o16,o17,o18,o19},{p0,p1,p2,p3},{b0,b1},{o16,o17,o18,o19}; "
        + Product + "{o20,o21,o22,o23},{p0,p1,p2,p3},{b2,b3},{o20,o21,o22,o23}; "
        + Product + "{o24,o25,o26,o27},{p0,p1,p2,p3},{b4,b5},{o24,o25,o26,o27}; "
        + Product + "{o28,o29,o30,o31},{p0,p1,p2,p3},{b6,b7},{o28,o29,o30,o31}; "
        + Transposed + "{b0,b1,b2,b3}, [%1+64]; " + Transposed + "{b4,b5,b6,b7}, [%1+96]; "
        + Product + "{o16,o17,o18,o19},{p4,p5,p6,p7},{b0,b1},{o16,o17,o18,o19}; "
        + Product + "{o20,o21,o22,o23},{p4,p5,p6,p7},{b2,b3},{o20,o21,o22,o23}; "
        + Product + "{o24,o25,o26,o27},{p4,p5,p6,p7},{b4,b5},{o24,o25,o26,o27}; "
        + Product + "{o28,o29,o30,o31},{p4,p5,p6,p7},{b6,b7},{o28,o29,o30,o31}; ";

    /// <summary>o += p · tile in columns 64 … 95. %0, %1: this lane's rows of the tile's halves.</summary>
    public const string Gather2 =
        Transposed + "{b0,b1,b2,b3}, [%0+128]; " + Transposed + "{b4,b5,b6,b7}, [%0+160]; "
        + Product + "{o32,o33,o34,o35},{p0,p1,p2,p3},{b0,b1},{o32,o33,o34,o35}; "
        + Product + "{o36,o37,o38,o39},{p0,p1,p2,p3},{b2,b3},{o36,o37,o38,o39}; "
        + Product + "{o40,o41,o42,o43},{p0,p1,p2,p3},{b4,b5},{o40,o41,o42,o43}; "
        + Product + "{o44,o45,o46,o47},{p0,p1,p2,p3},{b6,b7},{o44,o45,o46,o47}; "
        + Transposed + "{b0,b1,b2,b3}, [%1+128]; " + Transposed + "{b4,b5,b6,b7}, [%1+160]; "
        + Product + "{o32,o33,o34,o35},{p4,p5,p6,p7},{b0,b1},{o32,o33,o34,o35}; "
        + Product + "{o36,o37,o38,o39},{p4,p5,p6,p7},{b2,b3},{o36,o37,o38,o39}; "
        + Product + "{o40,o41,o42,o43},{p4,p5,p6,p7},{b4,b5},{o40,o41,o42,o43}; "
        + Product + "{o44,o45,o46,o47},{p4,p5,p6,p7},{b6,b7},{o44,o45,o46,o47}; ";

    /// <summary>o += p · tile in columns 96 … 127. %0, %1: this lane's rows of the tile's halves.</summary>
    public const string Gather3 =
        Transposed + "{b0,b1,b2,b3}, [%0+192]; " + Transposed + "{b4,b5,b6,b7}, [%0+224]; "
        + Product + "{o48,o49,o50,o51},{p0,p1,p2,p3},{b0,b1},{o48,o49,o50,o51}; "
        + Product + "{o52,o53,o54,o55},{p0,p1,p2,p3},{b2,b3},{o52,o53,o54,o55}; "
        + Product + "{o56,o57,o58,o59},{p0,p1,p2,p3},{b4,b5},{o56,o57,o58,o59}; "
        + Product + "{o60,o61,o62,o63},{p0,p1,p2,p3},{b6,b7},{o60,o61,o62,o63}; "
        + Transposed + "{b0,b1,b2,b3}, [%1+192]; " + Transposed + "{b4,b5,b6,b7}, [%1+224]; "
        + Product + "{o48,o49,o50,o51},{p4,p5,p6,p7},{b0,b1},{o48,o49,o50,o51}; "
        + Product + "{o52,o53,o54,o55},{p4,p5,p6,p7},{b2,b3},{o52,o53,o54,o55}; "
        + Product + "{o56,o57,o58,o59},{p4,p5,p6,p7},{b4,b5},{o56,o57,o58,o59}; "
        + Product + "{o60,o61,o62,o63},{p4,p5,p6,p7},{b6,b7},{o60,o61,o62,o63}; ";

    /// <summary>p = s, rounded to nearest even.</summary>
    public const string Round =
        "cvt.rn.bf16x2.f32 p0, s1, s0; "
        + "cvt.rn.bf16x2.f32 p1, s3, s2; "
        + "cvt.rn.bf16x2.f32 p2, s5, s4; "
        + "cvt.rn.bf16x2.f32 p3, s7, s6; "
        + "cvt.rn.bf16x2.f32 p4, s9, s8; "
        + "cvt.rn.bf16x2.f32 p5, s11, s10; "
        + "cvt.rn.bf16x2.f32 p6, s13, s12; "
        + "cvt.rn.bf16x2.f32 p7, s15, s14; ";

    private const string AsStored = "ldmatrix.sync.aligned.m8n8.x4.shared.b16 ";
    private const string Transposed = "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 ";
    private const string Product = "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 ";
}
