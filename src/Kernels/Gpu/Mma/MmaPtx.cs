namespace SafeLlama.Kernels;

/// <summary>
/// The PTX of a warp's 64 × 32 tile of a product: its registers, one step of 16 along k, and storing the sums.
/// </summary>
/// <remarks>
/// <code>
/// registers  acc0 … acc63   4 × 4 fragments of 16 × 8 sums; fragment (i, j) is acc[16 i + 4 j] … + 3
///            fa0 … fa15     4 fragments of 16 × 16 of a, one below the other
///            fb0 … fb7      4 fragments of 16 × 8 of b, side by side
/// </code>
/// The registers are declared in PTX, and C# passes addresses only: operands in C# variables would leave the register
/// file. Inline PTX must be a constant, so the text is composed of constants, a line per fragment.
/// </remarks>
internal static class MmaPtx
{
    /// <summary>
    /// Declares the registers and sets the sums to zero; goes into a kernel once, before anything else.
    /// </summary>
    public const string Declare = ".reg .f32 acc<64>; .reg .b32 fa<16>; .reg .b32 fb<8>;"
        + " mov.f32 acc0, 0f00000000; mov.f32 acc1, 0f00000000; mov.f32 acc2, 0f00000000; mov.f32 acc3, 0f00000000;"
        + " mov.f32 acc4, 0f00000000; mov.f32 acc5, 0f00000000; mov.f32 acc6, 0f00000000; mov.f32 acc7, 0f00000000;"
        + " mov.f32 acc8, 0f00000000; mov.f32 acc9, 0f00000000; mov.f32 acc10, 0f00000000; mov.f32 acc11, 0f00000000;"
        + " mov.f32 acc12, 0f00000000; mov.f32 acc13, 0f00000000; mov.f32 acc14, 0f00000000; mov.f32 acc15, 0f00000000;"
        + " mov.f32 acc16, 0f00000000; mov.f32 acc17, 0f00000000; mov.f32 acc18, 0f00000000; mov.f32 acc19, 0f00000000;"
        + " mov.f32 acc20, 0f00000000; mov.f32 acc21, 0f00000000; mov.f32 acc22, 0f00000000; mov.f32 acc23, 0f00000000;"
        + " mov.f32 acc24, 0f00000000; mov.f32 acc25, 0f00000000; mov.f32 acc26, 0f00000000; mov.f32 acc27, 0f00000000;"
        + " mov.f32 acc28, 0f00000000; mov.f32 acc29, 0f00000000; mov.f32 acc30, 0f00000000; mov.f32 acc31, 0f00000000;"
        + " mov.f32 acc32, 0f00000000; mov.f32 acc33, 0f00000000; mov.f32 acc34, 0f00000000; mov.f32 acc35, 0f00000000;"
        + " mov.f32 acc36, 0f00000000; mov.f32 acc37, 0f00000000; mov.f32 acc38, 0f00000000; mov.f32 acc39, 0f00000000;"
        + " mov.f32 acc40, 0f00000000; mov.f32 acc41, 0f00000000; mov.f32 acc42, 0f00000000; mov.f32 acc43, 0f00000000;"
        + " mov.f32 acc44, 0f00000000; mov.f32 acc45, 0f00000000; mov.f32 acc46, 0f00000000; mov.f32 acc47, 0f00000000;"
        + " mov.f32 acc48, 0f00000000; mov.f32 acc49, 0f00000000; mov.f32 acc50, 0f00000000; mov.f32 acc51, 0f00000000;"
        + " mov.f32 acc52, 0f00000000; mov.f32 acc53, 0f00000000; mov.f32 acc54, 0f00000000; mov.f32 acc55, 0f00000000;"
        + " mov.f32 acc56, 0f00000000; mov.f32 acc57, 0f00000000; mov.f32 acc58, 0f00000000; mov.f32 acc59, 0f00000000;"
        + " mov.f32 acc60, 0f00000000; mov.f32 acc61, 0f00000000; mov.f32 acc62, 0f00000000; mov.f32 acc63, "
        + "0f00000000;";

    /// <summary>
    /// A step: loads 4 fragments of a (addresses %0 … %3) and 4 of b (%4 and %5, two each), multiplies all pairs.
    /// </summary>
    public const string NT = AsStored + A0 + AsStored + A1 + AsStored + A2 + AsStored + A3
        + AsStored + B01 + AsStored + B23 + Multiply;

    /// <summary>The same for b stored [K, N].</summary>
    public const string NN = AsStored + A0 + AsStored + A1 + AsStored + A2 + AsStored + A3
        + Transposed + B01 + Transposed + B23 + Multiply;

    /// <summary>The same for a stored [K, M] and b stored [K, N].</summary>
    public const string TN = Transposed + A0 + Transposed + A1 + Transposed + A2 + Transposed + A3
        + Transposed + B01 + Transposed + B23 + Multiply;

    /// <summary>Writes fragments (0, 0) … (0, 3): this lane's pair of row %0, and of the row 8 below, %1.</summary>
    public const string Store0 =
        "st.shared.v2.f32 [%0+0], {acc0,acc1}; "
        + "st.shared.v2.f32 [%0+32], {acc4,acc5}; "
        + "st.shared.v2.f32 [%0+64], {acc8,acc9}; "
        + "st.shared.v2.f32 [%0+96], {acc12,acc13}; "
        + "st.shared.v2.f32 [%1+0], {acc2,acc3}; "
        + "st.shared.v2.f32 [%1+32], {acc6,acc7}; "
        + "st.shared.v2.f32 [%1+64], {acc10,acc11}; "
        + "st.shared.v2.f32 [%1+96], {acc14,acc15}; ";

    /// <summary>Writes fragments (1, 0) … (1, 3): this lane's pair of row %0, and of the row 8 below, %1.</summary>
    public const string Store1 =
        "st.shared.v2.f32 [%0+0], {acc16,acc17}; "
        + "st.shared.v2.f32 [%0+32], {acc20,acc21}; "
        + "st.shared.v2.f32 [%0+64], {acc24,acc25}; "
        + "st.shared.v2.f32 [%0+96], {acc28,acc29}; "
        + "st.shared.v2.f32 [%1+0], {acc18,acc19}; "
        + "st.shared.v2.f32 [%1+32], {acc22,acc23}; "
        + "st.shared.v2.f32 [%1+64], {acc26,acc27}; "
        + "st.shared.v2.f32 [%1+96], {acc30,acc31}; ";

    /// <summary>Writes fragments (2, 0) … (2, 3): this lane's pair of row %0, and of the row 8 below, %1.</summary>
    public const string Store2 =
        "st.shared.v2.f32 [%0+0], {acc32,acc33}; "
        + "st.shared.v2.f32 [%0+32], {acc36,acc37}; "
        + "st.shared.v2.f32 [%0+64], {acc40,acc41}; "
        + "st.shared.v2.f32 [%0+96], {acc44,acc45}; "
        + "st.shared.v2.f32 [%1+0], {acc34,acc35}; "
        + "st.shared.v2.f32 [%1+32], {acc38,acc39}; "
        + "st.shared.v2.f32 [%1+64], {acc42,acc43}; "
        + "st.shared.v2.f32 [%1+96], {acc46,acc47}; ";

    /// <summary>Writes fragments (3, 0) … (3, 3): this lane's pair of row %0, and of the row 8 below, %1.</summary>
    public const string Store3 =
        "st.shared.v2.f32 [%0+0], {acc48,acc49}; "
        + "st.shared.v2.f32 [%0+32], {acc52,acc53}; "
        + "st.shared.v2.f32 [%0+64], {acc56,acc57}; "
        + "st.shared.v2.f32 [%0+96], {acc60,acc61}; "
        + "st.shared.v2.f32 [%1+0], {acc50,acc51}; "
        + "st.shared.v2.f32 [%1+32], {acc54,acc55}; "
        + "st.shared.v2.f32 [%1+64], {acc58,acc59}; "
        + "st.shared.v2.f32 [%1+96], {acc62,acc63}; ";

    private const string AsStored = "ldmatrix.sync.aligned.m8n8.x4.shared.b16 ";
    private const string Transposed = "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 ";
    private const string A0 = "{fa0,fa1,fa2,fa3}, [%0]; ";
    private const string A1 = "{fa4,fa5,fa6,fa7}, [%1]; ";
    private const string A2 = "{fa8,fa9,fa10,fa11}, [%2]; ";
    private const string A3 = "{fa12,fa13,fa14,fa15}, [%3]; ";
    private const string B01 = "{fb0,fb1,fb2,fb3}, [%4]; ";
    private const string B23 = "{fb4,fb5,fb6,fb7}, [%5]; ";

    private const string Product = "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 ";
    private const string Multiply =
        Product + "{acc0,acc1,acc2,acc3},{fa0,fa1,fa2,fa3},{fb0,fb1},{acc0,acc1,acc2,acc3}; "
        + Product + "{acc4,acc5,acc6,acc7},{fa0,fa1,fa2,fa3},{fb2,fb3},{acc4,acc5,acc6,acc7}; "
        + Product + "{acc8,acc9,acc10,acc11},{fa0,fa1,fa2,fa3},{fb4,fb5},{acc8,acc9,acc10,acc11}; "
        + Product + "{acc12,acc13,acc14,acc15},{fa0,fa1,fa2,fa3},{fb6,fb7},{acc12,acc13,acc14,acc15}; "
        + Product + "{acc16,acc17,acc18,acc19},{fa4,fa5,fa6,fa7},{fb0,fb1},{acc16,acc17,acc18,acc19}; "
        + Product + "{acc20,acc21,acc22,acc23},{fa4,fa5,fa6,fa7},{fb2,fb3},{acc20,acc21,acc22,acc23}; "
        + Product + "{acc24,acc25,acc26,acc27},{fa4,fa5,fa6,fa7},{fb4,fb5},{acc24,acc25,acc26,acc27}; "
        + Product + "{acc28,acc29,acc30,acc31},{fa4,fa5,fa6,fa7},{fb6,fb7},{acc28,acc29,acc30,acc31}; "
        + Product + "{acc32,acc33,acc34,acc35},{fa8,fa9,fa10,fa11},{fb0,fb1},{acc32,acc33,acc34,acc35}; "
        + Product + "{acc36,acc37,acc38,acc39},{fa8,fa9,fa10,fa11},{fb2,fb3},{acc36,acc37,acc38,acc39}; "
        + Product + "{acc40,acc41,acc42,acc43},{fa8,fa9,fa10,fa11},{fb4,fb5},{acc40,acc41,acc42,acc43}; "
        + Product + "{acc44,acc45,acc46,acc47},{fa8,fa9,fa10,fa11},{fb6,fb7},{acc44,acc45,acc46,acc47}; "
        + Product + "{acc48,acc49,acc50,acc51},{fa12,fa13,fa14,fa15},{fb0,fb1},{acc48,acc49,acc50,acc51}; "
        + Product + "{acc52,acc53,acc54,acc55},{fa12,fa13,fa14,fa15},{fb2,fb3},{acc52,acc53,acc54,acc55}; "
        + Product + "{acc56,acc57,acc58,acc59},{fa12,fa13,fa14,fa15},{fb4,fb5},{acc56,acc57,acc58,acc59}; "
        + Product + "{acc60,acc61,acc62,acc63},{fa12,fa13,fa14,fa15},{fb6,fb7},{acc60,acc61,acc62,acc63}; ";
}
