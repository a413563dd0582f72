using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests.Quantized;

/// <summary>Variants of LoRA over every form of a base, with activations in fp32 and in bf16.</summary>
public sealed class QuantizedVariantTests
{
    private string _folder = "";

    [OneTimeSetUp]
    public void Write()
    {
        _folder = TestFiles.NewFolder();
        using var backend = new ReferenceBackend();
        using var weights = LlamaWeights.InitializeRandom(backend, TinyLlama.Config, seed: 1);
        weights.Save(Path.Combine(_folder, "model.safetensors"), DType.Float32);
    }

    [OneTimeTearDown]
    public void Remove() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void A_variant_over_a_quantized_base_agrees_with_the_reference_on_any_number_of_threads(
        [Values] LoraVariant variant, [Values] LoadAs form,
        [Values(DType.Float32, DType.BFloat16)] DType arithmetic)
    {
        var (loss, gradients) = Run(new CpuBackend(1, arithmetic), variant, form);
        Assert.That(Run(new CpuBackend(3, arithmetic), variant, form).Gradients, Is.EqualTo(gradients));

        // bf16 has 8 bits, so each product errs by up to 1/256 of its terms; a quantized activation that rounds the
        // other way moves a term by 1/127; both go through two layers, and a tensor whose terms cancel errs by more.
        var isRounded = arithmetic == DType.BFloat16 || form == LoadAs.Int8;
        var (expected, exact) = Run(new ReferenceBackend(), variant, form);
        Assert.That(loss, Is.EqualTo(expected).Within(isRounded ? 0.02 : 1e-4));
        var error = Error(gradients.SelectMany(g => g), exact.SelectMany(g => g));
        TestContext.Out.WriteLine($"error {error:G3}");
        Assert.That(error, Is.LessThan(isRounded ? 0.15 : 1e-3));
        foreach (var (ours, theirs) in gradients.Zip(exact))
        {
            Assert.That(Error(ours, theirs), Is.LessThan(isRounded ? 0.25 : 1e-3));
        }
    }

    [Test]
    public void A_new_adapter_of_any_variant_leaves_a_quantized_base_as_it_is(
        [Values] LoraVariant variant, [Values] LoadAs form,
        [Values(DType.Float32, DType.BFloat16)] DType arithmetic)
    {
        using var backend = new CpuBackend(2, arithmetic);
        using var weights = LlamaWeights.Load(backend, TinyLlama.Config, _folder, new(form));
        using var adapter = LoraAdapter.Create(
            backend, weights, new LoraConfig { Rank = 3, Targets = LlamaShapes.LinearNames, Variant = variant },
            seed: 11);
        var (actual, plain) = (
            Loss(backend, weights, adapter, learns: false), Loss(backend, weights, null, learns: false));
        Assert.That(actual, Is.EqualTo(plain).Within(
            arithmetic == DType.BFloat16 ? 2e-3 : 1e-5), "rounding of PiSSA's two halves and of DoRA's gain");
    }

    /// <summary>Every weight of a row is zero: the row has no length to divide by.</summary>
    [Test]
    public void Dora_over_rows_of_zeros_learns_and_merges_without_dividing_by_their_length([Values] LoadAs form)
    {
        var folder = TestFiles.NewFolder();
        using (var reference = new ReferenceBackend())
        using (var drawn = LlamaWeights.InitializeRandom(reference, TinyLlama.Config, seed: 1))
        {
            foreach (var shape in LlamaShapes.Of(TinyLlama.Config)
                .Where(s => s.Name.EndsWith("_proj.weight", StringComparison.Ordinal)))
            {
                var values = drawn[shape.Name].Value.ReadDoubles();
                values.AsSpan(0, 2 * shape.Shape[1]).Clear();
                drawn[shape.Name].Value.Write(values);
            }

            drawn.Save(Path.Combine(folder, "model.safetensors"), DType.Float32);
        }

        using var backend = new CpuBackend(1);
        using var weights = LlamaWeights.Load(backend, TinyLlama.Config, folder, new(form));
        using var adapter = LoraAdapter.Create(
            backend, weights,
            new LoraConfig { Rank = 3, Targets = LlamaShapes.LinearNames, Variant = LoraVariant.Dora }, seed: 11);
        using var model = new Llama(backend, weights, adapter, 32);
        using var workspace = new Workspace(model, 20, forBackward: true);
        Assert.That(double.IsFinite(TinyLlama.Loss(model, TinyLlama.Upload(workspace, TinyLlama.Tokens(12, 1)))));
        foreach (var parameter in adapter.Parameters)
        {
            Assert.That(parameter.Gradient.ReadDoubles(), Has.All.Matches<double>(double.IsFinite), parameter.Name);
        }

        var pair = adapter.Pairs.First();
        var rows = new double[2 * pair.A.Value.Columns];
        pair.Merger()(0, rows);
        Assert.That(rows, Has.All.Zero);
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>The length of the difference, in lengths of what is expected.</summary>
    private static double Error(IEnumerable<double> actual, IEnumerable<double> expected) => Math.Sqrt(
        actual.Zip(expected, (a, e) => (a - e) * (a - e)).Sum() / expected.Sum(e => e * e));

    private (double Loss, List<double[]> Gradients) Run(IBackend backend, LoraVariant variant, LoadAs form)
    {
        using (backend)
        {
            using var weights = LlamaWeights.Load(backend, TinyLlama.Config, _folder, new(form));
            using var adapter = TinyLlama.Adapter(backend, weights, variant);
            var loss = Loss(backend, weights, adapter, learns: true);
            return (loss, [.. adapter.Parameters.Select(p => p.Gradient.ReadDoubles())]);
        }
    }

    private static double Loss(IBackend backend, LlamaWeights weights, LoraAdapter? adapter, bool learns)
    {
        using var model = new Llama(backend, weights, adapter, 32);
        using var workspace = new Workspace(model, 20, forBackward: learns);
        return TinyLlama.Loss(model, TinyLlama.Upload(workspace, TinyLlama.Tokens(12, 1), TinyLlama.Tokens(8, 2)));
    }
}
