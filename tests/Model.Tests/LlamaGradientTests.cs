using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests;

[Category("Gradient")]
public sealed class LlamaGradientTests
{
    private static readonly int[][] Examples = [TinyLlama.Tokens(9, 1), TinyLlama.Tokens(5, 2), TinyLlama.Tokens(2, 3)];

    [TestCase(0.0)]
    [TestCase(0.4)]
    public void Adapter_gradients_agree_with_finite_differences(double dropout)
    {
        using var backend = new ReferenceBackend();
        using var weights = LlamaWeights.InitializeRandom(backend, TinyLlama.Config, seed: 1);
        using var adapter = TinyLlama.Adapter(backend, TinyLlama.Config, dropout);
        CheckGradients(backend, weights, adapter, adapter.Parameters);
    }

    /// <summary>The norm of DoRA is a constant to its gradient, so it must not move while A and B do.</summary>
    [TestCase(0.0)]
    [TestCase(0.4)]
    public void Gradients_of_magnitudes_agree_with_finite_differences(double dropout)
    {
        using var backend = new ReferenceBackend();
        using var weights = LlamaWeights.InitializeRandom(backend, TinyLlama.Config, seed: 1);
        using var adapter = TinyLlama.Adapter(backend, weights, LoraVariant.Dora, dropout);
        CheckGradients(
            backend, weights, adapter,
            adapter.Parameters.Where(p => p.Name.EndsWith("vector", StringComparison.Ordinal)));
    }

    /// <summary>
    /// With the norm held, DoRA is y = g ⊙ (W + s · B A) x: plain LoRA over g ⊙ W, its B times g. So A's gradients are
    /// equal, and B's are g times the plain ones.
    /// </summary>
    [TestCase("reference", 1e-12)]
    [TestCase("cpu", 2e-5)] // fp32: other sums
    public void Gradients_of_DoRA_are_those_of_LoRA_over_the_stretched_weight(string name, double tolerance)
    {
        using var backend = ComputeBackends.Open(name);
        using var weights = LlamaWeights.InitializeRandom(backend, TinyLlama.Config, seed: 1);
        using var dora = TinyLlama.Adapter(backend, weights, LoraVariant.Dora);
        var (loss, gradients) = Gradients(backend, weights, dora);
        using var plain = TinyLlama.Adapter(backend, TinyLlama.Config);
        var gains = new Dictionary<string, double[]>();
        foreach (var pair in plain.Pairs)
        {
            var (turned, weight) = ((DoraLora)dora.Find(pair.Module)!, weights[pair.Module + ".weight"].Value);
            double[] values = weight.ReadDoubles(), merged = [.. values];
            turned.Merger()(0, merged);
            double[] changed = [.. values];
            pair.A.Value.Write(turned.A.Value.ReadDoubles());
            pair.B.Value.Write(turned.B.Value.ReadDoubles());
            pair.Merger()(0, changed);
            var columns = weight.Columns;
            double[] g = gains[pair.Module] = [.. Enumerable.Range(0, weight.Rows).Select(
                o => merged[o * columns] / changed[o * columns])];
            weight.Write([.. values.Select((value, i) => value * g[i / columns])]);
            pair.B.Value.Write([.. turned.B.Value.ReadDoubles().Select((b, i) => b * g[i / pair.Rank])]);
        }

        var (plainLoss, plainGradients) = Gradients(backend, weights, plain);
        Assert.That(loss, Is.EqualTo(plainLoss).Within(tolerance));
        foreach (var pair in plain.Pairs)
        {
            Assert.That(
                gradients[pair.A.Name], Is.EqualTo(plainGradients[pair.A.Name]).Within(tolerance), pair.A.Name);
            Assert.That(
                gradients[pair.B.Name],
                Is.EqualTo(plainGradients[pair.B.Name].Select((d, i) => d * gains[pair.Module][i / pair.Rank]))
                    .Within(tolerance), pair.B.Name);
        }
    }

    [Test]
    public void Gradients_of_PiSSA_agree_with_finite_differences()
    {
        using var backend = new ReferenceBackend();
        using var weights = LlamaWeights.InitializeRandom(backend, TinyLlama.Config, seed: 1);
        using var adapter = TinyLlama.Adapter(backend, weights, LoraVariant.Pissa);
        CheckGradients(backend, weights, adapter, adapter.Parameters);
    }

    [TestCase(false, false)]
    [TestCase(true, true)]
    public void Gradients_of_all_weights_agree_with_finite_differences(bool tied, bool biases)
    {
        using var backend = new ReferenceBackend();
        var config = TinyLlama.Config with { TieWordEmbeddings = tied, AttentionBias = biases, MlpBias = biases };
        using var weights = LlamaWeights.InitializeRandom(backend, config, seed: 2);
        CheckGradients(backend, weights, adapter: null, weights.Parameters);
    }

    [Test]
    public void Packed_examples_give_the_loss_and_gradients_of_separate_ones([Values("reference", "cpu")] string name)
    {
        using var backend = ComputeBackends.Open(name);
        var packed = Gradients(backend, [Examples]);
        var separate = Gradients(backend, [.. Examples.Select(e => new[] { e })]);
        var tolerance = name == "reference" ? 1e-12 : 2e-5; // fp32: another order of sums
        Assert.That(packed.Loss, Is.EqualTo(separate.Loss).Within(tolerance));
        Assert.That(packed.Gradients, Is.EqualTo(separate.Gradients).Within(tolerance));
    }

    [Test]
    public void Any_number_of_threads_gives_the_same_bytes([Values] LoraVariant variant)
    {
        (double, double[]) Run(int threads)
        {
            using var backend = new CpuBackend(threads);
            return Gradients(backend, [Examples], variant);
        }

        var (loss, gradients) = Run(1);
        Assert.Multiple(() =>
        {
            Assert.That(Run(2), Is.EqualTo((loss, gradients)));
            Assert.That(Run(5), Is.EqualTo((loss, gradients)));
        });
    }

    [Test]
    public void A_device_gives_the_loss_and_gradients_of_the_reference([Values] LoraVariant variant)
    {
        using var device = GpuBackend.OpenEmulated(DType.Float32);
        using var reference = new ReferenceBackend();
        var (loss, gradients) = Gradients(device, [Examples], variant);
        var expected = Gradients(reference, [Examples], variant);
        Assert.That(loss, Is.EqualTo(expected.Loss).Within(1e-5));
        Assert.That(gradients, Is.EqualTo(expected.Gradients).Within(2e-5)); // fp32 against fp64
    }

    [Test]
    public void Backward_stops_at_the_lowest_layer_that_learns()
    {
        using var backend = new ReferenceBackend();
        using var weights = LlamaWeights.InitializeRandom(backend, TinyLlama.Config, seed: 1);
        using var adapter = LoraAdapter.Create(
            backend, TinyLlama.Config, new LoraConfig { Layers = [1], Targets = ["o_proj"] }, seed: 1);
        foreach (var pair in adapter.Pairs)
        {
            pair.B.Value.Write(TinyLlama.Normal((int)pair.B.Value.Shape.Count, 5));
        }

        CheckGradients(backend, weights, adapter, adapter.Parameters);
    }

    private static (double Loss, Dictionary<string, double[]> Gradients) Gradients(
        IBackend backend, LlamaWeights weights, LoraAdapter adapter)
    {
        using var model = new Llama(backend, weights, adapter, maxLength: 16);
        using var workspace = new Workspace(model, 16, forBackward: true);
        var loss = TinyLlama.Loss(model, TinyLlama.Upload(workspace, Examples));
        return (loss, adapter.Parameters.ToDictionary(p => p.Name, p => p.Gradient.ReadDoubles()));
    }

    private static (double Loss, double[] Gradients) Gradients(
        IBackend backend, IReadOnlyList<int[][]> microBatches, LoraVariant variant = LoraVariant.Lora)
    {
        using var weights = LlamaWeights.InitializeRandom(backend, TinyLlama.Config, seed: 1);
        using var adapter = TinyLlama.Adapter(backend, weights, variant);
        using var model = new Llama(backend, weights, adapter, maxLength: 16);
        using var workspace = new Workspace(model, 16, forBackward: true);
        var targets = Examples.Sum(e => e.Length - 1);
        var loss = microBatches.Sum(examples => TinyLlama.Loss(model, TinyLlama.Upload(workspace, examples), targets));
        return (loss, [.. adapter.Parameters.SelectMany(p => p.Gradient.ReadDoubles())]);
    }

    /// <summary>
    /// Central differences in fp64: with h = 1e-5 both truncation and rounding stay near 1e-9 of a loss of about 4.
    /// </summary>
    private static void CheckGradients(
        IBackend backend, LlamaWeights weights, LoraAdapter? adapter, IEnumerable<Parameter> parameters)
    {
        const double Step = 1e-5;
        using var model = new Llama(backend, weights, adapter, maxLength: 16);
        using var workspace = new Workspace(model, 16, forBackward: true);
        using var forward = new Workspace(model, 16, forBackward: false);
        var dropout = Philox.Stream(3, "dropout");
        var pass = TinyLlama.Upload(workspace, Examples);
        pass.Batch.DropoutStream = dropout;
        TinyLlama.Loss(model, pass);
        var probe = TinyLlama.Upload(forward, Examples);
        probe.Batch.DropoutStream = dropout;
        foreach (var parameter in parameters)
        {
            var (values, gradient) = (parameter.Value.ReadDoubles(), parameter.Gradient.ReadDoubles());
            foreach (var i in new[] { 0, values.Length / 3, values.Length - 1 })
            {
                double At(double value)
                {
                    var moved = values.ToArray();
                    moved[i] = value;
                    parameter.Value.Write(moved);
                    return TinyLlama.Loss(model, probe);
                }

                var expected = (At(values[i] + Step) - At(values[i] - Step)) / (2 * Step);
                parameter.Value.Write(values);
                Assert.That(
                    gradient[i], Is.EqualTo(expected).Within(1e-7 + (1e-5 * Math.Abs(expected))),
                    $"{parameter.Name}[{i}]");
            }
        }
    }
}
