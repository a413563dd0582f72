namespace SafeLlama.Kernels;

/// <summary>
/// The PTX for attention's result, o: set to zero, rescaled, stored. Registers as in <see cref="FlashPtx"/>.
/// </summary>
internal static class FlashResultPtx
{
    /// <summary>o = 0 in columns 0 … 31.</summary>
    public const string ClearResult0 =
        "mov.f32 o0, 0f00000000; mov.f32 o1, 0f00000000; mov.f32 o2, 0f00000000; mov.f32 o3, 0f00000000; "
        + "mov.f32 o4, 0f00000000; mov.f32 o5, 0f00000000; mov.f32 o6, 0f00000000; mov.f32 o7, 0f00000000; "
        + "mov.f32 o8, 0f00000000; mov.f32 o9, 0f00000000; mov.f32 o10, 0f00000000; mov.f32 o11, 0f00000000; "
        + "mov.f32 o12, 0f00000000; mov.f32 o13, 0f00000000; mov.f32 o14, 0f00000000; mov.f32 o15, 0f00000000; ";

    /// <summary>o = 0 in columns 32 … 63.</summary>
    public const string ClearResult1 =
        "mov.f32 o16, 0f00000000; mov.f32 o17, 0f00000000; mov.f32 o18, 0f00000000; mov.f32 o19, 0f00000000; "
        + "mov.f32 o20, 0f00000000; mov.f32 o21, 0f00000000; mov.f32 o22, 0f00000000; mov.f32 o23, 0f00000000; "
        + "mov.f32 o24, 0f00000000; mov.f32 o25, 0f00000000; mov.f32 o26, 0f00000000; mov.f32 o27, 0f00000000; "
        + "mov.f32 o28, 0f00000000; mov.f32 o29, 0f00000000; mov.f32 o30, 0f00000000; mov.f32 o31, 0f00000000; ";

    /// <summary>o = 0 in columns 64 … 95.</summary>
    public const string ClearResult2 =
        "mov.f32 o32, 0f00000000; mov.f32 o33, 0f00000000; mov.f32 o34, 0f00000000; mov.f32 o35, 0f00000000; "
        + "mov.f32 o36, 0f00000000; mov.f32 o37, 0f00000000; mov.f32 o38, 0f00000000; mov.f32 o39, 0f00000000; "
        + "mov.f32 o40, 0f00000000; mov.f32 o41, 0f00000000; mov.f32 o42, 0f00000000; mov.f32 o43, 0f00000000; "
        + "mov.f32 o44, 0f00000000; mov.f32 o45, 0f00000000; mov.f32 o46, 0f00000000; mov.f32 o47, 0f00000000; ";

    /// <summary>o = 0 in columns 96 … 127.</summary>
    public const string ClearResult3 =
        "mov.f32 o48, 0f00000000; mov.f32 o49, 0f00000000; mov.f32 o50, 0f00000000; mov.f32 o51, 0f00000000; "
        + "mov.f32 o52, 0f00000000; mov.f32 o53, 0f00000000; mov.f32 o54, 0f00000000; mov.f32 o55, 0f00000000; "
        + "mov.f32 o56, 0f00000000; mov.f32 o57, 0f00000000; mov.f32 o58, 0f00000000; mov.f32 o59, 0f00000000; "
        + "mov.f32 o60, 0f00000000; mov.f32 o61, 0f00000000; mov.f32 o62, 0f00000000; mov.f32 o63, 0f00000000; ";

    /// <summary>Multiplies columns 0 … 31 of o by w, row by row.</summary>
    public const string Rescale0 =
        "mul.f32 o0, o0, w0; mul.f32 o1, o1, w0; mul.f32 o2, o2, w1; mul.f32 o3, o3, w1; "
        + "mul.f32 o4, o4, w0; mul.f32 o5, o5, w0; mul.f32 o6, o6, w1; mul.f32 o7, o7, w1; "
        + "mul.f32 o8, o8, w0; mul.f32 o9, o9, w0; mul.f32 o10, o10, w1; mul.f32 o11, o11, w1; "
        + "mul.f32 o12, o12, w0; mul.f32 o13, o13, w0; mul.f32 o14, o14, w1; mul.f32 o15, o15, w1; ";

    /// <summary>Multiplies columns 32 … 63 of o by w, row by row.</summary>
    public const string Rescale1 =
        "mul.f32 o16, o16, w0; mul.f32 o17, o17, w0; mul.f32 o18, o18, w1; mul.f32 o19, o19, w1; "
        + "mul.f32 o20, o20, w0; mul.f32 o21, o21, w0; mul.f32 o22, o22, w1; mul.f32 o23, o23, w1; "
        + "mul.f32 o24, o24, w0; mul.f32 o25, o25, w0; mul.f32 o26, o26, w1; mul.f32 o27, o27, w1; "
        + "mul.f32 o28, o28, w0; mul.f32 o29, o29, w0; mul.f32 o30, o30, w1; mul.f32 o31, o31, w1; ";

    /// <summary>Multiplies columns 64 … 95 of o by w, row by row.</summary>
    public const string Rescale2 =
        "mul.f32 o32, o32, w0; mul.f32 o33, o33, w0; mul.f32 o34, o34, w1; mul.f32 o35, o35, w1; "
        + "mul.f32 o36, o36, w0; mul.f32 o37, o37, w0; mul.f32 o38, o38, w1; mul.f32 o39, o39, w1; "
        + "mul.f32 o40, o40, w0; mul.f32 o41, o41, w0; mul.f32 o42, o42, w1; mul.f32 o43, o43, w1; "
        + "mul.f32 o44, o44, w0; mul.f32 o45, o45, w0; mul.f32 o46, o46, w1; mul.f32 o47, o47, w1; ";

    /// <summary>Multiplies columns 96 … 127 of o by w, row by row.</summary>
    public const string Rescale3 =
        "mul.f32 o48, o48, w0; mul.f32 o49, o49, w0; mul.f32 o50, o50, w1; mul.f32 o51, o51, w1; "
        + "mul.f32 o52, o52, w0; mul.f32 o53, o53, w0; mul.f32 o54, o54, w1; mul.f32 o55, o55, w1; "
        + "mul.f32 o56, o56, w0; mul.f32 o57, o57, w0; mul.f32 o58, o58, w1; mul.f32 o59, o59, w1; "
        + "mul.f32 o60, o60, w0; mul.f32 o61, o61, w0; mul.f32 o62, o62, w1; mul.f32 o63, o63, w1; ";

    /// <summary>
    /// Rounds columns 0 … 31 of o and stores this lane's pairs of row %0, and of the row 8 below, %1.
    /// </summary>
    public const string Store0 =
        "cvt.rn.bf16x2.f32 p0, o1, o0; cvt.rn.bf16x2.f32 p1, o3, o2; "
        + "st.shared.b32 [%0+0], p0; st.shared.b32 [%1+0], p1; "
        + "cvt.rn.bf16x2.f32 p0, o5, o4; cvt.rn.bf16x2.f32 p1, o7, o6; "
        + "st.shared.b32 [%0+16], p0; st.shared.b32 [%1+16], p1; "
        + "cvt.rn.bf16x2.f32 p0, o9, o8; cvt.rn.bf16x2.f32 p1, o11, o10; "
        + "st.shared.b32 [%0+32], p0; st.shared.b32 [%1+32], p1; "
        + "cvt.rn.bf16x2.f32 p0, o13, o12; cvt.rn.bf16x2.f32 p1, o15, o14; "
        + "st.shared.b32 [%0+48], p0; st.shared.b32 [%1+48], p1; ";

    /// <summary>
    /// Rounds columns 32 … 63 of o and stores this lane's pairs of row %0, and of the row 8 below, %1.
    /// </summary>
    public const string Store1 =
        "cvt.rn.bf16x2.f32 p0, o17, o16; cvt.rn.bf16x2.f32 p1, o19, o18; "
        + "st.shared.b32 [%0+64], p0; st.shared.b32 [%1+64], p1; "
        + "cvt.rn.bf16x2.f32 p0, o21, o20; cvt.rn.bf16x2.f32 p1, o23, o22; "
        + "st.shared.b32 [%0+80], p0; st.shared.b32 [%1+80], p1; "
        + "cvt.rn.bf16x2.f32 p0, o25, o24; cvt.rn.bf16x2.f32 p1, o27, o26; "
        + "st.shared.b32 [%0+96], p0; st.shared.b32 [%1+96], p1; "
        + "cvt.rn.bf16x2.f32 p0, o29, o28; cvt.rn.bf16x2.f32 p1, o31, o30; "
        + "st.shared.b32 [%0+112], p0; st.shared.b32 [%1+112], p1; ";

    /// <summary>
    /// Rounds columns 64 … 95 of o and stores this lane's pairs of row %0, and of the row 8 below, %1.
    /// </summary>
    public const string Store2 =
        "cvt.rn.bf16x2.f32 p0, o33, o32; cvt.rn.bf16x2.f32 p1, o35, o34; "
        + "st.shared.b32 [%0+128], p0; st.shared.b32 [%1+128], p1; "
        + "cvt.rn.bf16x2.f32 p0, o37, o36; cvt.rn.bf16x2.f32 p1, o39, o38; "
        + "st.shared.b32 [%0+144], p0; st.shared.b32 [%1+144], p1; "
        + "cvt.rn.bf16x2.f32 p0, o41, o40; cvt.rn.bf16x2.f32 p1, o43, o42; "
        + "st.shared.b32 [%0+160], p0; st.shared.b32 [%1+160], p1; "
        + "cvt.rn.bf16x2.f32 p0, o45, o44; cvt.rn.bf16x2.f32 p1, o47, o46; "
        + "st.shared.b32 [%0+176], p0; st.shared.b32 [%1+176], p1; ";

    /// <summary>
    /// Rounds columns 96 … 127 of o and stores this lane's pairs of row %0, and of the row 8 below, %1.
    /// </summary>
    public const string Store3 =
        "cvt.rn.bf16x2.f32 p0, o49, o48; cvt.rn.bf16x2.f32 p1, o51, o50; "
        + "st.shared.b32 [%0+192], p0; st.shared.b32 [%1+192], p1; "
        + "cvt.rn.bf16x2.f32 p0, o53, o52; cvt.rn.bf16x2.f32 p1, o55, o54; "
        + "st.shared.b32 [%0+208], p0; st.shared.b32 [%1+208], p1; "
        + "cvt.rn.bf16x2.f32 p0, o57, o56; cvt.rn.bf16x2.f32 p1, o59, o58; "
        + "st.shared.b32 [%0+224], p0; st.shared.b32 [%1+224], p1; "
        + "cvt.rn.bf16x2.f32 p0, o61, o60; cvt.rn.bf16x2.f32 p1, o63, o62; "
        + "st.shared.b32 [%0+240], p0; st.shared.b32 [%1+240], p1; ";
}
