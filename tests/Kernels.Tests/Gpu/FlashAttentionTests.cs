using System.Text.RegularExpressions;

namespace SafeLlama.Kernels.Tests;

/// <summary>
/// Attention on tensor cores, run instruction by instruction, against the fp64 reference; no GPU is needed.
/// </summary>
internal sealed class FlashAttentionTests
{
    /// <summary>
    /// p and ds are rounded to bf16 (2⁻⁹) as operands, as are the results; sums of both signs lose a few bits more.
    /// </summary>
    private const double Tolerance = 1.5e-2;

    /// <summary>Rows end within a tile, a warp and a fragment; examples within a tile; heads share keys.</summary>
    [TestCase(5, 1, 1, 64, 1)]
    [TestCase(70, 4, 2, 64, 3)]
    [TestCase(97, 1, 1, 96, 2)]
    [TestCase(67, 2, 2, 128, 2)]
    [TestCase(45, 3, 1, 40, 1)]     // a head that fills no kernel's
    public void Forward_agrees_with_reference(int rows, int heads, int keyHeads, int headDim, int examples) =>
        AgreesWithReference(t => AttentionTests.Forward(t, rows, heads, keyHeads, headDim, examples));

    [TestCase(5, 1, 1, 64, 1)]
    [TestCase(70, 4, 2, 64, 3)]
    [TestCase(97, 1, 1, 96, 2)]
    [TestCase(67, 2, 2, 128, 2)]
    [TestCase(45, 3, 1, 40, 1)]
    public void Backward_agrees_with_reference(int rows, int heads, int keyHeads, int headDim, int examples) =>
        AgreesWithReference(
            t => [.. AttentionTests.Backward(t, rows, heads, keyHeads, headDim, examples).Select(g => g.Gradient)]);

    // one stage more than there is
    [TestCase("cp.async.wait_group 0", "cp.async.wait_group 1", "a copy on its way")]
    [TestCase("bar.sync\t0", "mov.b32 %r1, %r1", "no barrier between|on its way|never written")]
    public void A_kernel_with_a_fault_is_stopped(string was, string becomes, string why) => Assert.That(
        () => Spoiled(text => text.Replace(was, becomes)), Throws.InstanceOf<PtxFault>().With.Message.Match(why));

    [TestCase("{p0,p1,p2,p3},{b2,b3}", "{p0,p1,p2,p3},{b0,b3}")]            // an index of a fragment
    [TestCase("shfl.sync.bfly.b32 e0, l0, 2", "shfl.sync.bfly.b32 e0, l0, 1")]
    public void A_changed_operand_gives_another_result(string was, string becomes) => Assert.That(
        () => Spoiled(text => text.Replace(was, becomes)),
        Throws.InstanceOf<AssertionException>().With.Message.Contains("the reference says"));

    [Test]
    public void A_mask_that_shows_one_key_more_gives_another_result() => Assert.That(
        () => Spoiled(text => Regex.Replace(text, @"setp\.lt\.or\.s32 h0, (%r\d+), 9,", "setp.lt.or.s32 h0, $1, 8,")),
        Throws.InstanceOf<AssertionException>().With.Message.Contains("the reference says"));

    /// <summary>Rows as far apart as they are long: 8 of them begin in the same bank.</summary>
    [Test]
    public void Rows_without_skew_meet_banks() => Assert.That(
        () => Spoiled(text => Times(Times(text, 144, 128), 9, 8).Replace(", 1152;", ", 1024;")),
        Throws.InstanceOf<AssertionException>().With.Message.Contains("bank conflicts"));

    /// <summary>
    /// GemmDispatch by one constant become products by another: the distance of rows, of which 8 are 1152.
    /// </summary>
    private static string Times(string text, int was, int becomes) =>
        Regex.Replace(text, $@"(mul\.lo\.s32\s+%r\d+, %r\d+), {was};", $"$1, {becomes};");

    private static void Spoiled(Func<string, string> change) => AgreesWithReference(
        t => AttentionTests.Forward(t, 70, 1, 1, 64, 1),
        text =>
        {
            var changed = change(text);
            Assert.That(changed, Is.Not.EqualTo(text), "nothing was changed");
            return changed;
        });

    private static void AgreesWithReference(Func<TestTensors, Tensor[]> op, Func<string, string>? spoil = null)
    {
        using var interpreter = new PtxInterpreter { Spoil = spoil };
        OpTests.AgreesWithReference(GpuBackend.OpenInterpreted(DType.BFloat16, interpreter), op, Tolerance);
        Assert.That(interpreter.Ran.Select(k => k.DeclaringType), Has.Some.EqualTo(typeof(FlashForward)));
        Assert.That(interpreter.BankConflicts, Is.Zero, "bank conflicts");
    }
}
