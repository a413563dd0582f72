using SafeLlama.Common;

namespace SafeLlama.Kernels.Tests;

/// <summary>LoRA's products in bf16 where the rank is no multiple of 8, and where dropout falls on x.</summary>
internal sealed class LoraTensorCoreTests
{
    private const int Rows = 19, Inputs = 40, Outputs = 24;

    /// <summary>Ranks whose A is read as it is, and one that is large enough to be rounded.</summary>
    [Test]
    public void No_product_of_a_pair_is_left_to_plain_fp32(
        [Values(3, 12, 20)] int rank, [Values(0, 0.3)] double dropped)
    {
        using var interpreter = new PtxInterpreter();
        using var backend = GpuBackend.OpenInterpreted(DType.BFloat16, interpreter);
        using var tensors = new TestTensors(backend);
        Run(tensors, rank, dropped);
        Assert.That(interpreter.Ran.Select(kernel => kernel.DeclaringType), Has.No.Member(typeof(GpuGemm)));
    }

    /// <summary>What dropout keeps is copied three rows at a time, and none of them is lost or taken twice.</summary>
    [Test]
    public void Copies_of_a_few_rows_give_the_gradients_of_all([Values(8, 20)] int rank)
    {
        using var interpreter = new PtxInterpreter();
        var backend = GpuBackend.OpenInterpreted(DType.BFloat16, interpreter);
        ((LinearGpu)backend.Linear).Lora.KeptBytes = 3 * Inputs * 2;

        // Operands and u are rounded to bf16, 2⁻⁹ each.
        OpTests.AgreesWithReference(backend, t => Run(t, rank, 0.3), 1.5e-2);
    }

    private static Tensor[] Run(TestTensors t, int rank, double dropped)
    {
        var dropout = new Dropout(dropped, Philox.Stream(2, "dropout"));
        var wide = t.Backend.Accumulation;
        var (x, weight) = (t.Input("x", new(Rows, Inputs)), t.Input("w", new(Outputs, Inputs), DType.BFloat16));
        var (a, b) = (t.Input("a", new(rank, Inputs), wide), t.Input("b", new(Outputs, rank), wide));
        var (u, du) = (t.Output("u", new(Rows, rank)), t.Output("du", new(Rows, rank)));
        var (y, dy) = (t.Output("y", new(Rows, Outputs)), t.Input("dy", new(Rows, Outputs)));
        var dx = t.Gradient("dx", x.Shape);
        var (da, db) = (t.Gradient("da", a.Shape, wide), t.Gradient("db", b.Shape, wide));
        var lora = new LoraTerm(a, b, 2, dropout, u);
        t.Backend.Linear.Forward(x, weight, lora, default, y);
        t.Backend.Linear.BackwardLora(dy, x, weight, lora, new(du, da, db), dx, accumulate: true);
        return [u, y, da, db, dx];
    }
}
