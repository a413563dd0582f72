namespace SafeLlama.Kernels.Tests;

/// <summary>What a product does on its way out is what a pass of its own would do, to the last bit.</summary>
internal sealed class EpilogueTests
{
    private const int Inputs = 40, Outputs = 24;

    /// <summary>
    /// Few rows take the product of few rows; many the portable one or tensor cores, which exist where PTX is
    /// interpreted.
    /// </summary>
    [Test]
    public void An_epilogue_equals_a_pass_of_its_own(
        [Values("emulated", "interpreted")] string device, [Values(DType.Float32, DType.BFloat16)] DType activation,
        [Values(3, 19)] int rows, [Values] bool paired)
    {
        using var interpreter = new PtxInterpreter();
        using var backend = device == "emulated"
            ? GpuBackend.OpenEmulated(activation) : GpuBackend.OpenInterpreted(activation, interpreter);
        using var t = new TestTensors(backend);
        var (x, weight) = (t.Input("x", new(rows, Inputs)), t.Input("w", new(Outputs, Inputs), DType.BFloat16));
        var (a, b) = (t.Input("a", new(8, Inputs), DType.Float32), t.Input("b", new(Outputs, 8), DType.Float32));
        var (bias, u) = (t.Input("bias", new(Outputs), DType.Float32), t.Output("u", new(rows, 8)));
        LoraTerm? lora = paired ? new(a, b, 2, Dropout.None, u) : null;
        var stream = t.Input("stream", new(rows, Outputs), DType.Float32);
        var (branch, added) = (
            t.Output("branch", stream.Shape, DType.Float32), t.Output("added", stream.Shape, DType.Float32));
        Forward(null, branch);
        Forward(stream, added);
        var sums = stream.ReadFloats().Zip(branch.ReadFloats(), (s, b) => s + b);

        // Where the pair is a pass of its own, it comes after the residual, and sums have another order.
        if (!paired || (device == "interpreted" && activation == DType.BFloat16 && rows > 8))
        {
            Assert.That(added.ReadFloats(), Is.EqualTo(sums), "onto the residual");
        }

        var (gate, up, product) = (
            t.Input("gate", stream.Shape), t.Output("up", stream.Shape), t.Output("product", stream.Shape));
        var (alone, apart) = (t.Output("alone", stream.Shape), t.Output("apart", stream.Shape));
        Forward(null, alone);
        backend.SwiGlu.Forward(gate, alone, apart);
        backend.Linear.Forward(x, weight, lora, new(bias, Gate: gate, Gated: product), up);
        Assert.That(up.ReadDoubles(), Is.EqualTo(alone.ReadDoubles()), "up");
        Assert.That(product.ReadDoubles(), Is.EqualTo(apart.ReadDoubles()), "gated");

        void Forward(Tensor? residual, Tensor y) => backend.Linear.Forward(x, weight, lora, new(bias, residual), y);
    }
}
