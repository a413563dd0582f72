using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>
/// Trains a small model on a device twice, stopped and resumed against without a stop, from checkpoint to adapter.
/// </summary>
public static class TrainingChecks
{
    private const int Steps = 4;
    private const int StopAfter = 2;

    private static readonly LlamaConfig Shape = ModelChecks.Config with
    {
        VocabularySize = 41,
        HiddenSize = 24,
        IntermediateSize = 40,
        Heads = 2,
        KeyValueHeads = 1,
        HeadDim = 12,
        MaxPositions = 16,
    };

    private static readonly TrainingConfig Config = new()
    {
        Lora = new LoraConfig { Rank = 3, Alpha = 5, Dropout = 0.1, Targets = LlamaShapes.LinearNames },
        Steps = Steps,
        BatchSize = 2,
        MicroBatch = 1,
        LearningRate = 0.01,
        WarmupSteps = Amount.Count(0),
        EvaluateEvery = StopAfter,
    };

    /// <summary>Runs all checks, one at a time, in a folder of its own under the system's temporary one.</summary>
    /// <param name="device">What to check; it stays open.</param>
    public static IEnumerable<HealthCheck> Run(IBackend device)
    {
        var folder = Directory.CreateTempSubdirectory("safellama-doctor-").FullName;
        try
        {
            using (var drawn = LlamaWeights.InitializeRandom(device, Shape, seed: 1))
            {
                drawn.Save(Path.Combine(folder, "model.safetensors"), DType.BFloat16);
            }

            var unbroken = Learn(device, folder, "unbroken", stop: int.MaxValue);
            Learn(device, folder, "resumed", StopAfter);
            var resumed = Learn(device, folder, "resumed", stop: int.MaxValue);
            var moved = unbroken.Any(value => value != 0) ? 0 : double.NaN;
            yield return new("resumed = unbroken, adapter", HealthCheck.Error(resumed, unbroken) + moved, 0,
                "a checkpoint holds every bit, and random numbers have no state");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Runs, from the newest checkpoint if there is one; returns the values of every B.</summary>
    private static double[] Learn(IBackend device, string folder, string name, int stop)
    {
        var output = Directory.CreateDirectory(Path.Combine(folder, name)).FullName;
        using var weights = LlamaWeights.Load(device, Shape, folder);
        using var adapter = LoraAdapter.Create(device, Shape, Config.Lora!, seed: 3);
        using var model = new Llama(device, weights, adapter, Shape.MaxPositions);
        using var asked = new CancellationTokenSource();
        using var run = new TrainingRun(
            model, Config, TrainingData.All(Rows), output, "", new StopView(asked, stop));
        run.Run(asked.Token);
        return [.. adapter.Pairs.SelectMany(pair => pair.B.Value.ReadDoubles())];
    }

    private static IReadOnlyList<TokenizedExample> Rows { get; } =
        [.. Enumerable.Range(0, 5).Select(row =>
    {
        var stream = Philox.Stream(row, "doctor rows");
        int[] tokens = [.. Enumerable.Range(0, 4 + row).Select(i => stream.Below(i, 41))];
        return TokenizedExample.FromLabels($"row {row}", default, tokens, [.. tokens.Select(_ => true)]);
    })];

    private sealed class StopView(CancellationTokenSource asked, int after) : ITrainingView
    {
        public void Stepped(StepReport report, int totalSteps, double seconds)
        {
            if (report.Step == after)
            {
                asked.Cancel();
            }
        }

        public void Validated(ValidationReport report, bool isBest)
        {
        }

        public void Note(string line)
        {
        }
    }
}
