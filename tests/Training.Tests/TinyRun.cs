using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Training.Tests;

/// <summary>A small frozen model with an adapter that is trained: what most tests of training stand on.</summary>
internal sealed class TinyRun : IDisposable
{
    private readonly LlamaWeights _weights;

    public TinyRun(
        IBackend backend, double dropout = 0, int maxLength = 64, LoadForm load = default,
        LoraVariant variant = LoraVariant.Lora)
    {
        Backend = backend;
        var folder = Path.Combine(TestFiles.Reference, "models", "A-mha");
        var config = LlamaConfig.Load(folder);
        _weights = LlamaWeights.Load(backend, config, folder, load);
        Adapter = LoraAdapter.Create(
            backend, _weights,
            new LoraConfig
            {
                Rank = 4,
                Dropout = variant == LoraVariant.Pissa ? 0 : dropout,
                Targets = LlamaShapes.LinearNames,
                Variant = variant,
            },
            seed: 5);
        Model = new Llama(backend, _weights, Adapter, maxLength);
    }

    public IBackend Backend { get; }

    public LoraAdapter Adapter { get; }

    public Llama Model { get; }

    /// <summary>Made-up rows of 4 to 15 tokens; the second half of each is learned.</summary>
    public static IReadOnlyList<TokenizedExample> Rows(int count, string name = "row") =>
        [.. Enumerable.Range(0, count).Select(row =>
    {
        var tokens = TinyLlama.Tokens(4 + (row * 5 % 12), seed: 100 + row, vocabulary: 300);
        return TokenizedExample.FromLabels(
            $"{name} {row}", default, tokens,
                [.. Enumerable.Range(0, tokens.Length).Select(i => i >= tokens.Length / 2)]);
    })];

    public static TrainingConfig Config { get; } = new()
    {
        Lora = null,
        BatchSize = 4,
        MicroBatch = 2,
        Steps = 9,
        LearningRate = 0.01,
        WarmupSteps = Amount.Count(2),
        EvaluateEvery = 2,
    };

    public Trainer Trainer(
        Workspace workspace, LossNormalization divisor = LossNormalization.Targets, double rate = 0.01,
        int microBatches = 8) =>
        new(
        Model,
        workspace,
        new TrainerSettings(new LearningRateSchedule(ScheduleShape.Constant, rate, 0, 1000)) { Divisor = divisor },
        microBatches);

    /// <summary>All values of the adapter, one behind the other.</summary>
    public double[] Values() => [.. Adapter.Parameters.SelectMany(p => p.Value.ReadDoubles())];

    public double[] Gradients() => [.. Adapter.Parameters.SelectMany(p => p.Gradient.ReadDoubles())];

    public void Dispose()
    {
        Model.Dispose();
        Adapter.Dispose();
        _weights.Dispose();
    }
}
