namespace SafeLlama.Kernels.Tests;

/// <summary>The forms of opcodes that the interpreter executes: each has a vector, or a test fails.</summary>
/// <remarks>
/// A kernel with another form is refused by name. To add one: its meaning in <see cref="PtxArithmetic"/> or
/// <see cref="PtxCode"/>, its name here, and a vector from the PTX ISA's tables, which a GPU replays.
/// </remarks>
internal static class PtxForms
{
    public static IReadOnlySet<string> Known { get; } = new HashSet<string>(
    [
        .. Split("bra bra.uni brx.idx ret bar.sync shfl.sync.bfly.b32"),
        .. Split("cp.async.ca.shared.global cp.async.cg.shared.global cp.async.commit_group cp.async.wait_group"),
        .. Split("ldmatrix.sync.aligned.m8n8.x4.shared.b16 ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16"),
        .. Split("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32"),
        .. Split("ld.param.b32 ld.param.b64 ld.param.f32 ld.local.b32 st.local.b32 ld.local.b64 st.local.b64"),
        .. Split("mov.b32 mov.b64 mov.f32 mov.f64 mov.pred mov.u32 cvta.to.global.u64"),
        .. Split("selp.b32 selp.b64 selp.f32 and.pred or.pred not.pred"),
        .. Split("add.s32 add.s64 add.u64 sub.s32 sub.s64 neg.s32 mul.lo.s32 mul.lo.s64 mul.wide.u32 mul.wide.s32"),
        .. Split("mad.lo.s32 mad.lo.u64 div.s32 div.u32 div.s64 div.u64 rem.s32 rem.u32 rem.s64 rem.u64"),
        .. Split("min.s32 min.u32 max.s32 max.u32 and.b32 and.b64 or.b32 or.b64 xor.b32 xor.b64 not.b32"),
        .. Split("shl.b32 shl.b64 shr.s32 shr.s64 shr.u32 shr.u64"),
        .. Split("add.f32 sub.f32 mul.f32 div.rn.f32 fma.rn.f32 neg.f32 abs.f32 min.f32 max.f32"),
        .. Split("sqrt.rn.f32 rcp.rn.f32 rsqrt.approx.f32 ex2.approx.f32 lg2.approx.f32"),
        .. Split("add.f64 sub.f64 mul.f64 div.rn.f64 fma.rn.f64 sqrt.rn.f64"),
        .. Split("cvt.s64.s32 cvt.s32.s64 cvt.u64.u32 cvt.u32.u64 cvt.s32.s16 cvt.s32.u16 cvt.u16.u32 cvt.rn.f32.s32"),
        .. Split("cvt.rn.bf16x2.f32 cvt.f64.f32 cvt.rn.f32.f64 cvt.rn.f64.s32 cvt.rzi.s32.f32"),
        .. Accesses, .. Comparisons,
    ]);

    /// <summary>Loads and stores of global and shared memory; vectors are at most 16 bytes.</summary>
    public static IEnumerable<string> Accesses =>
        from space in Split("global shared")
        from kind in Split("b16 b32 b64 f32 f64 v2.b32 v2.f32 v4.b32 v4.f32 v2.b64 v2.f64")
        from access in Split("ld st")
        select $"{access}.{space}.{kind}";

    /// <summary>Comparisons alone, and those of numbers joined with a further predicate.</summary>
    public static IEnumerable<string> Comparisons =>
    [
        .. from type in Split("s32 s64 f32 f64")
           from order in Split("eq ne lt le gt ge")
           select $"setp.{order}.{type}",
        .. from type in Split("u32 u64")
           from order in Split("eq ne lo ls hi hs")
           select $"setp.{order}.{type}",
        .. from type in Split("f32 f64")
           from order in Split("equ neu ltu leu gtu geu")
           select $"setp.{order}.{type}",
        .. from order in Split("eq ne lt le gt ge")
           from joined in Split("and or")
           select $"setp.{order}.{joined}.s32",
    ];

    private static string[] Split(string forms) => forms.Split(' ');
}
