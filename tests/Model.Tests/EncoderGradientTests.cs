using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests;

/// <summary>What <c>judge train</c> learns of an encoder: a head and adapters, by finite differences.</summary>
[Category("Gradient")]
public sealed class EncoderGradientTests
{
    /// <summary>All six linears of a layer, and none of the head.</summary>
    private static readonly LoraConfig Adapters = new()
    {
        Rank = 2,
        Alpha = 4,
        TargetPattern = LoraConfig.EncoderLinears,
    };

    private static readonly int[][] Sequences = [[1, 17, 60, 5, 90, 2], [1, 44, 2], [1, 8, 8, 31, 2]];

    private static string Reference => Path.Combine(TestFiles.ShippedReference, "models", "F-deberta-3");

    [Test]
    public void Head_and_adapters_have_the_gradient_of_finite_differences()
    {
        using var backend = new ReferenceBackend();
        using var trained = new Trained(backend, Adapters);
        var gradients = trained.Gradients();
        Assert.That(gradients, Has.Count.EqualTo(4 + (2 * 2 * 6)));
        foreach (var parameter in trained.Model.Parameters)
        {
            var at = parameter.Value.ReadDoubles();
            GradientCheck.Check(parameter.Name, at, gradients[parameter.Name], values =>
            {
                parameter.Value.Write(values);
                var loss = trained.Loss();
                parameter.Value.Write(at);
                return loss;
            }, tolerance: 1e-6);
        }
    }

    [TestCase(0, TestName = "Adapters_in_the_upper_layer_alone_have_the_same_gradients_there")]
    [TestCase(1, TestName = "Adapters_in_the_lower_layer_alone_have_the_same_gradients_there")]
    public void One_layer(int layer)
    {
        using var backend = new ReferenceBackend();
        using var all = new Trained(backend, Adapters);
        using var one = new Trained(backend, Adapters with { Layers = [1 - layer] });
        var (expected, found) = (all.Gradients(), one.Gradients());

        // The other layer's adapters change the function unless they are zero.
        foreach (var (name, _) in expected.Where(g => !found.ContainsKey(g.Key)))
        {
            all.Model.Parameters.Single(p => p.Name == name).Value.Clear();
        }

        expected = all.Gradients();
        foreach (var (name, values) in found)
        {
            Assert.That(values, Is.EqualTo(expected[name]).Within(1e-12), name);
        }
    }

    [Test]
    public void The_cpu_and_the_gpu_kernels_agree_with_the_reference(
        [Values] bool gpu, [Values(DType.Float32, DType.BFloat16)] DType type)
    {
        using var reference = new ReferenceBackend();
        using IBackend backend = gpu ? GpuBackend.OpenEmulated(type) : new CpuBackend(2, type);
        using var expected = new Trained(reference, Adapters);
        using var found = new Trained(backend, Adapters);
        // fp32 or bf16 through two layers, relative to the tensor's largest element.
        var tolerance = type == DType.BFloat16 ? 0.08 : 5e-5;
        Assert.That(found.Loss(), Is.EqualTo(expected.Loss()).Within(tolerance));
        var (a, b) = (expected.Gradients(), found.Gradients());
        foreach (var (name, values) in a)
        {
            Assert.That(b[name], Is.EqualTo(values).Within(tolerance * Math.Max(1e-3, values.Max(Math.Abs))), name);
        }
    }

    private sealed class Trained : IDisposable
    {
        private readonly EncoderWeights _weights;
        private readonly LoraAdapter _adapter;
        private readonly EncoderWorkspace _workspace;

        public Trained(IBackend backend, LoraConfig lora)
        {
            var config = EncoderConfig.Load(Reference);
            _weights = EncoderWeights.Load(backend, config, Reference, EncoderLearning.Head);
            _adapter = LoraAdapter.Create(backend, LoraSite.Of(config), lora, seed: 5);
            foreach (var b in _adapter.Pairs.Select(p => p.B.Value))
            {
                var stream = Philox.Stream(6, b.Name);
                b.Write([.. Enumerable.Range(0, (int)b.Shape.Count).Select(i => 0.3 * stream.Normal(i))]);
            }

            Model = new EncoderClassifier(backend, _weights, 8, _adapter);
            _workspace = new EncoderWorkspace(Model, Sequences.Sum(s => s.Length), Sequences.Length, forBackward: true);
        }

        public EncoderClassifier Model { get; }

        /// <summary>Σ w · logits, each weight another.</summary>
        public double Loss() => Model.Forward(Sequences, _workspace).Logits.Select((y, i) => (i - 2.5) * y).Sum();

        public Dictionary<string, double[]> Gradients()
        {
            foreach (var parameter in Model.Parameters)
            {
                parameter.Gradient.Clear();
            }

            var (logits, pass) = Model.Forward(Sequences, _workspace);
            Model.Backward(pass, [.. logits.Select((_, i) => i - 2.5)]);
            return Model.Parameters.ToDictionary(p => p.Name, p => p.Gradient.ReadDoubles());
        }

        public void Dispose()
        {
            _workspace.Dispose();
            Model.Dispose();
            _adapter.Dispose();
            _weights.Dispose();
        }
    }
}
