namespace SafeLlama.Kernels;

/// <summary>Products with frozen weights of blocks, for <see cref="OpChecks"/>.</summary>
/// <remarks>Rows of the input: few, as in decoding, and enough for tiles. Steps of k end within a stage.</remarks>
internal static class BlockOpChecks
{
    public static (string Name, Func<ProbeTensors, Tensor[]> Run)[] All { get; } =
    [
        ("Linear, NF4 weight", p => Product(p, 19, 192, 40, Nf4Format.Of(192))),
        ("Linear, NF4 weight, one row", p => Product(p, 1, 128, 33, Nf4Format.Of(128))),
        ("Linear, INT8 weight", p => Product(p, 19, 72, 40, new Int8Format(72, null))),
        ("Linear, INT8 weight and activations", p => Product(p, 19, 72, 40, new Int8Format(72, 2.5))),
        ("Linear, INT8 weight and activations, none apart", p => Product(p, 3, 40, 21, new Int8Format(40, 0))),
        ("Linear with LoRA, NF4 weight", p => Lora(p, Nf4Format.Of(64), 64)),
        ("Linear with LoRA, INT8 weight and activations", p => Lora(p, new Int8Format(72, 2.5), 72)),
    ];

    private static Tensor[] Product(ProbeTensors p, int rows, int inputs, int outputs, WeightFormat format)
    {
        var (x, weight) = (p.Take("x", new(rows, inputs)), p.Blocks("blocks", new(outputs, inputs), format));
        var (y, dy, dx) = (p.Take("y", new(rows, outputs)), p.Take("dy", new(rows, outputs)), p.Take("dx", x.Shape));
        var (bias, stream, further) = (
            p.Wide("bias", new(outputs)), p.Wide("stream", y.Shape), p.Wide("further", y.Shape));
        var (gate, up, product) = (p.Take("gate", y.Shape), p.Take("up", y.Shape), p.Take("product", y.Shape));
        var linear = p.Backend.Linear;
        linear.Forward(x, weight, null, default, y);
        linear.Forward(x, weight, null, new(bias, Residual: stream), further);
        linear.Forward(x, weight, null, new(bias, Gate: gate, Gated: product), up);
        linear.BackwardInput(dy, weight, dx, accumulate: true);
        return [y, further, up, product, dx];
    }

    private static Tensor[] Lora(ProbeTensors p, WeightFormat format, int inputs)
    {
        const int Rows = 19, Outputs = 40, Rank = 8;
        var (x, weight) = (p.Take("x", new(Rows, inputs)), p.Blocks("blocks", new(Outputs, inputs), format));
        var (a, b) = (p.Wide("a", new(Rank, inputs)), p.Wide("b", new(Outputs, Rank)));
        var (u, du) = (p.Take("u", new(Rows, Rank)), p.Take("du", new(Rows, Rank)));
        var (y, dx) = (p.Take("y", new(Rows, Outputs)), p.Take("dx", x.Shape));
        var (da, db) = (p.Wide("da", a.Shape), p.Wide("db", b.Shape));
        var lora = new LoraTerm(a, b, 0.5, Dropout.None, u);
        p.Backend.Linear.Forward(x, weight, lora, default, y);
        p.Backend.Linear.BackwardLora(
            p.Take("dy", y.Shape), x, weight, lora, new(du, da, db), dx, accumulate: false);
        return [u, y, da, db, dx];
    }
}
