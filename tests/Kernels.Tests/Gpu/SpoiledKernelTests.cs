using System.Text.RegularExpressions;

namespace SafeLlama.Kernels.Tests;

/// <summary>
/// The tests of the tests: kernels of attention's backward and of products with few rows, changed in one place, must be
/// caught, by numbers, by bounds, by a race or by banks.
/// </summary>
internal sealed class SpoiledKernelTests
{
    private const string Race = "no barrier between|on its way|never written";
    private const string Numbers = "the reference says";

    /// <summary>As in <see cref="FlashAttentionTests"/>.</summary>
    private const double Tolerance = 1.5e-2;

    private static readonly string[] Backward = ["QueryKernel", "KeyKernel", "ValueKernel"];

    private static readonly string[] OtherMask =
        ["a query's mask for another's", @"setp\.lt\.or\.s32 h0, f2,", "setp.lt.or.s32 h0, f3,", Numbers];

    /// <summary>What is wrong, the pattern, what it becomes, and how it is noticed.</summary>
    private static IEnumerable<string[]> Everywhere =>
    [
        ["a copy not waited for", @"cp\.async\.wait_group 0", "cp.async.wait_group 1", "a copy on its way"],
        ["no barriers", @"bar\.sync\s+0", "mov.b32 %r1, %r1", Race],
        ["one stage less", @"(rem\.s32\s+%r\d+, %r\d+), 2;", "$1, 1;", Race],
        ["rows past the last are read",
            @"selp\.b64\s+(%rd\d+), (%rd\d+), %rd\d+, %p\d+;\s+selp\.b32\s+(%r\d+), 16, 0, %p\d+;",
            "mov.b64 $1, $2; mov.b32 $3, 16;", "outside"],
        ["another index of a fragment", @"\{p0,p1,p2,p3\},\{b2,b3\}", "{p0,p1,p2,p3},{b0,b3}", Numbers],
        ["a row of an operand", @"\{a0,a1,a2,a3\}, \[(\s*%r\d+)\+0\]", "{a0,a1,a2,a3}, [$1+32]", Numbers],
        ["a pair the wrong way round", @"cvt\.rn\.bf16x2\.f32 p1, s3, s2", "cvt.rn.bf16x2.f32 p1, s2, s3", Numbers],
    ];

    private static IEnumerable<TestCaseData<string, string, string, string>> Cases =>
    [
        .. Backward.SelectMany(kernel => Everywhere.Select(c => Case(kernel, c))),
        Case("QueryKernel",
            ["a key more", @"setp\.lt\.or\.s32 h0, (%r\d+), 9,", "setp.lt.or.s32 h0, $1, 8,", Numbers]),
        Case("QueryKernel", ["another sign of δ", @"sub\.f32 t0, t0,", "add.f32 t0, t0,", Numbers]),
        Case("KeyKernel", OtherMask),
        Case("KeyKernel",
            ["a query's δ for another's", @"\{e0,e1\}, \[(\s*%r\d+)\+384\]", "{e0,e1}, [$1+416]", Numbers]),
        Case("ValueKernel", OtherMask),
        Case("ValueKernel",
            ["a query's logSum for another's", @"\{e0,e1\}, \[(\s*%r\d+)\+256\]", "{e0,e1}, [$1+288]", Numbers]),
    ];

    [TestCaseSource(nameof(Cases))]
    public void A_change_in_backward_is_noticed(string kernel, string was, string becomes, string why) => Assert.That(
        () => OfBackward(kernel, text => Changed(text, was, becomes)), Throws.Exception.With.Message.Match(why));

    /// <summary>Rows as far apart as they are long: 8 of them begin in the same bank.</summary>
    [TestCaseSource(nameof(Backward))]
    public void Rows_of_backward_without_skew_meet_banks(string kernel) => Assert.That(
        () => OfBackward(kernel, text => Changed(
            Changed(Changed(text, @"(mul\.lo\.s32\s+%r\d+, %r\d+), 144;", "$1, 128;"),
                @"(mul\.lo\.s32\s+%r\d+, %r\d+), 9;", "$1, 8;"), ", 1152;", ", 1024;")),
        Throws.Exception.With.Message.Contains("bank conflicts"));

    [Test]
    public void What_is_not_changed_is_not_noticed() => OfBackward("QueryKernel", text => text);

    /// <summary>37 rows of 300: neither whole groups of 8 warps nor whole eights; 5 of the small operand.</summary>
    [TestCase("no barrier", @"bar\.sync\s+0", "mov.b32 %r1, %r1", Race)]
    [TestCase("an index", @"(mul\.lo\.s32\s+%r\d+, %r\d+), 257;", "$1, 256;", Numbers + "|never written")]
    [TestCase("a mask: the fifth row is left out", @"(setp\.le\.s32\s+%p\d+, %r\d+), 4;", "$1, 5;", Numbers)]
    [TestCase("past the last row", @"(setp\.(?:lt|ge)\.s32\s+%p[23], %r\d+), %r\d+;", "$1, 1000;", "outside")]
    [TestCase("one lane's sum for all",
        @"(mul\.lo\.s32\s+\S+ \S+ \S+\s+add\.s32\s+\S+ \S+ \S+\s+add\.s32\s+%r\d+, %r\d+), %r\d+;", "$1, 0;", Numbers)]
    public void A_change_in_a_product_with_few_rows_is_noticed(string what, string was, string becomes, string why) =>
        Assert.That(
            () => OfFewRows(text => Changed(text, was, becomes)), Throws.Exception.With.Message.Match(why), what);

    [Test]
    public void A_product_with_few_rows_that_is_not_changed_is_right() => OfFewRows(text => text);

    private static TestCaseData<string, string, string, string> Case(string kernel, string[] c) =>
        new TestCaseData<string, string, string, string>(kernel, c[1], c[2], c[3])
            .SetArgDisplayNames(kernel, c[0]);

    private static string Changed(string text, string was, string becomes)
    {
        var changed = Regex.Replace(text, was, becomes);
        return changed != text ? changed : throw new InvalidOperationException($"nothing is like {was}");
    }

    private static void OfBackward(string kernel, Func<string, string> change)
    {
        using var interpreter = new PtxInterpreter { Spoil = change, Spoiled = kernel };
        OpTests.AgreesWithReference(
            GpuBackend.OpenInterpreted(DType.BFloat16, interpreter),
            t => [.. AttentionTests.Backward(t, 70, 1, 1, 64, 1).Select(g => g.Gradient)], Tolerance);
        Assert.That(interpreter.BankConflicts, Is.Zero, "bank conflicts");
    }

    private static void OfFewRows(Func<string, string> change)
    {
        using var interpreter = new PtxInterpreter { Spoil = change, Spoiled = nameof(GpuGemv.ProductKernel) };
        OpTests.AgreesWithReference(
            GpuBackend.OpenInterpreted(DType.Float32, interpreter),
            t =>
            {
                var (x, weight) = (t.Input("x", new(5, 300)), t.Input("weight", new(37, 300)));
                var y = t.Output("y", new(5, 37));
                t.Backend.Linear.Forward(x, weight, y);
                return [y];
            },
            OpTests.Single);
        Assert.That(interpreter.Ran.Select(k => k.DeclaringType), Is.All.EqualTo(typeof(GpuGemv)));
    }
}
