using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Training.Tests;

public sealed class MemoryPlanTests
{
    [Test]
    public void What_is_planned_is_what_is_allocated([Values] Recompute recompute, [Values] LoraVariant variant)
    {
        using var backend = new CpuBackend(1);
        using var run = new TinyRun(backend, variant: variant);
        using var workspace = new Workspace(run.Model, 48, forBackward: true, recompute);
        var config = TinyRun.Config with { Lora = run.Adapter.Config, Recompute = recompute };
        var plan = TrainingMemory.Of(backend, run.Model.Config, config, rows: 48, longest: 16, weightBytes: 1000);
        long Bytes(string name) => plan.Terms.Single(t => t.Name == name).Bytes;
        Assert.That(Bytes("activations"), Is.EqualTo(workspace.ByteCount));
        var trained = run.Adapter.Parameters.Sum(p => p.Value.Shape.Count) * sizeof(float);
        Assert.That(Bytes("optimizer state"), Is.EqualTo(2 * trained));
        Assert.That(Bytes("adapter"), Is.EqualTo(run.Adapter.ValueBytes));
        Assert.That(Bytes("gradients"), Is.EqualTo(run.Adapter.GradientBytes));
        var norms = run.Adapter.Pairs.Sum(p => p.StoredB.Rows) * sizeof(float);
        Assert.That(Bytes("adapter"), Is.EqualTo(variant switch
        {
            LoraVariant.Dora => trained + norms,
            LoraVariant.Pissa => 2 * trained,
            _ => trained,
        }));
        Assert.That(Bytes("frozen weights"), Is.EqualTo(1000));
        var shape = run.Model.Config;
        var widest = Math.Max(shape.HiddenSize, shape.IntermediateSize);
        Assert.That(
            Bytes("scratch"),
            Is.EqualTo(backend.ScratchBytes(new(
                48, 16, widest, shape.Heads, shape.KeyValueHeads, shape.HeadDim,
                run.Adapter.Pairs.Max(p => p.Rank), false))));
    }

    [Test]
    public void In_bf16_what_is_planned_is_what_is_allocated([Values] Recompute recompute)
    {
        using var backend = new CpuBackend(1, DType.BFloat16);
        using var run = new TinyRun(backend);
        using var workspace = new Workspace(run.Model, 48, forBackward: true, recompute);
        var config = TinyRun.Config with { Lora = run.Adapter.Config, Recompute = recompute };
        var plan = TrainingMemory.Of(backend, run.Model.Config, config, rows: 48, longest: 16, weightBytes: 1000);
        Assert.That(plan.Terms.Single(t => t.Name == "activations").Bytes, Is.EqualTo(workspace.ByteCount));
    }

    [Test]
    public void Activations_in_bf16_take_a_third_less_than_in_fp32([Values("q_proj,v_proj", "all")] string targets)
    {
        var config = new LlamaConfig
        {
            HiddenSize = 768,
            Layers = 12,
            Heads = 12,
            KeyValueHeads = 12,
            HeadDim = 64,
            IntermediateSize = 2048,
            VocabularySize = 8000,
        };
        long Bytes(DType arithmetic)
        {
            using var backend = new CpuBackend(1, arithmetic);
            using var weights = LlamaWeights.Plan(backend, config, trainable: false);
            var lora = new LoraConfig { Rank = 8, Targets = LoraConfig.ParseTargets(targets) };
            using var adapter = LoraAdapter.Plan(backend, config, lora);
            using var model = new Llama(backend, weights, adapter, 512);
            return Workspace.BytesFor(model, 1024, forBackward: true);
        }

        Assert.That(Bytes(DType.BFloat16), Is.LessThan(Bytes(DType.Float32) * 2 / 3));
    }

    [Test]
    public void Scratch_grows_with_threads_rank_and_dropout_and_counts_towards_what_must_fit()
    {
        var usual = Scratch(1, new LoraConfig { Rank = 8 });
        Assert.That(Scratch(2, new LoraConfig { Rank = 8 }), Is.GreaterThan(usual + (500 << 10)), "threads");
        Assert.That(Scratch(1, new LoraConfig { Rank = 256 }), Is.GreaterThan(usual), "rank");
        Assert.That(
            Gpu(new LoraConfig { Dropout = 0.1 }) - Gpu(new LoraConfig()), Is.EqualTo(48 * 256 * 2),
            "what dropout keeps of the widest activation");

        long Scratch(int threads, LoraConfig lora)
        {
            using var backend = new CpuBackend(threads);
            return Of(backend, lora);
        }

        long Gpu(LoraConfig lora)
        {
            using var backend = GpuBackend.OpenEmulated(DType.BFloat16);
            return Of(backend, lora);
        }

        long Of(IBackend backend, LoraConfig lora)
        {
            var shape = LlamaConfig.Load(Path.Combine(TestFiles.Reference, "models", "A-mha")) with
            { IntermediateSize = 256 };
            var plan = TrainingMemory.Of(
                backend, shape, TinyRun.Config with { Lora = lora }, rows: 48, longest: 16, weightBytes: 0);
            var scratch = plan.Terms.Single(t => t.Name == "scratch").Bytes;
            var others = plan.Terms.Where(t => t.Name != "scratch").Sum(t => t.Bytes);
            Assert.That(() => plan.RequireFit(others), Throws.TypeOf<SafeLlamaException>(), "the others alone");
            Assert.That(() => plan.RequireFit(others + scratch), Throws.Nothing);
            return scratch;
        }
    }

    [TestCase(false, 2000, Recompute.Nothing, "activations", "Use Recompute block, lower MicroBatch, lower MaxLength")]
    [TestCase(false, 6000, Recompute.Block, "activations", ". Lower MicroBatch, lower MaxLength")]
    [TestCase(true, 1, Recompute.Nothing, "optimizer state", "leave out Full")]
    public void What_does_not_fit_names_the_largest_term_and_the_way_out(
        bool full, int rows, Recompute recompute, string term, string option)
    {
        using var backend = new CpuBackend(1);
        var shape = LlamaConfig.Load(
            Path.Combine(TestFiles.Reference, "models", "A-mha")) with
        { Layers = 400, VocabularySize = 8 };
        var config = TinyRun.Config with { Lora = full ? null : new LoraConfig(), Recompute = recompute };
        var plan = TrainingMemory.Of(backend, shape, config, rows, longest: 16, weightBytes: 0);
        var error = Assert.Throws<SafeLlamaException>(() => plan.RequireFit(100 << 20))!;
        Assert.That(error.Code, Is.EqualTo(ExitCode.DoesNotFit));
        Assert.That(error.Message, Does.Contain($"for {term}").And.Contain(option));
        Assert.That(() => plan.RequireFit(plan.Total), Throws.Nothing);
    }
}
