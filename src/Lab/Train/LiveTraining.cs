using System.Diagnostics;
using System.Security.Cryptography;
using SafeLlama.Data;
using SafeLlama.Evaluation;
using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Study;
using SafeLlama.Training;

namespace SafeLlama.Lab;

/// <summary>Trains an arm of the default study, step by step, and looks at the model as it learns.</summary>
/// <remarks>
/// Rows, order, schedule and steps are the study's, so a training that is left alone ends with the study's adapter,
/// byte for byte: looking changes nothing.
/// </remarks>
internal sealed class LiveTraining
{
    private const int Held = 60;
    private const long HeldOutSeeds = 1_000_003;
    private const int ProbeTokens = 40;

    private readonly WorldSource _world;
    private readonly ArmJob _job;
    private readonly int _threads;
    private readonly List<StudyPrompt> _probes;

    /// <param name="dose">Demonstrations among the 3,000 harmless rows.</param>
    /// <param name="epochs">Passes over the rows; the study has five.</param>
    public LiveTraining(WorldSource world, int dose, double epochs, long seed, int threads)
    {
        (_world, _threads) = (world, threads);
        var arm = new StudyArm { Name = $"dose-{dose}", SafetyExamples = dose, Epochs = epochs };
        _job = new(
            new(arm.Name, StudyRecipe.Miniature, seed), arm, arm.Apply(new StudyTraining()), new StudyDecoding(),
            world.Template, world.Examples(arm, seed));
        _probes =
        [
            .. LabProbes.Unsafe(world), .. LabProbes.Of(world, p => p.Suite == "safe-homonym"),
            .. LabProbes.Benign(world),
        ];
    }

    private int Dose => _job.Arm.SafetyExamples!.Value;

    public void Run(TrainSteering steering, Action<TrainEvent> tell, CancellationToken cancel)
    {
        var folder = MiniatureModel.FolderOf(StudyRecipe.Miniature);
        using var opened = LlamaSession.Open(new CpuBackend(_threads), folder, new()
        {
            NewAdapter = (backend, weights) => LoraAdapter.Create(
                backend, weights, ArmTraining.LoraOf(_job.Training), _job.Replicate.Seed),
            Template = _job.Template,
            MaxLength = _job.Training.MaxLength,
            OwnsBackend = true,
        });
        var training = new ArmTraining(_job, opened.Model.Config, opened.Tokenizer);
        var config = training.Config;
        var data = training.Data with
        {
            General = HeldOut(opened, safety: false),
            Safety = HeldOut(opened, safety: true),
        };
        using var workspace = new Workspace(
            opened.Model, TrainingMemory.MicroBatchRows(config, data), forBackward: true);
        using var trainer = new Trainer(
            opened.Model, workspace,
            new(training.Schedule)
            {
                MaxGradientNorm = config.MaxGradNorm,
                Divisor = config.LossDivisor,
                Seed = config.Seed,
            },
            config.BatchSize / config.MicroBatch);
        using var validator = new Validator(opened.Model, workspace, data, config.MicroBatch);
        var sampler = new EpochSampler(data.Training.Count, config.BatchSize, config.Seed);
        var every = Math.Max(1, training.Steps / 24);
        steering.Modules = [.. opened.Adapter!.Pairs.Select(p => p.Module)];
        tell(new TrainBegin(
            steering.Id, training.Steps, data.Training.Count, (double)Dose / data.Training.Count,
            [.. _probes.Select(p => new TrainProbe(p.Text, p.Label.ToString().ToLowerInvariant()))],
            steering.Modules));
        var last = Check(opened, validator, 0, tell, cancel);
        var clock = new Stopwatch();
        while (trainer.StepsDone < training.Steps)
        {
            var module = steering.Next(() => tell(new TrainPaused(trainer.StepsDone)), cancel);
            clock.Start();
            var rows = sampler.Step(trainer.StepsDone).Select(i => data.Training[i]).ToList();
            var batches = BatchPacker.Step(rows, config.MicroBatch);
            if (module is null)
            {
                var report = trainer.Step(batches);
                tell(new TrainStep(report.Step, report.Loss, report.LearningRate, report.GradientNorm));
            }
            else
            {
                var numbers = StepInNumbers.Take(trainer, opened.Adapter!, module, batches, config);
                tell(new TrainStep(numbers.Step, numbers.Loss, numbers.LearningRate, numbers.GradientNorm));
                tell(numbers);
            }

            if (trainer.StepsDone % every == 0 || trainer.StepsDone == training.Steps || module is not null)
            {
                last = Check(opened, validator, trainer.StepsDone, tell, cancel);
            }

            clock.Stop();
        }

        tell(new TrainEnd(
            Dose, 1 - Share(last, PromptLabel.Unsafe), Share(last, PromptLabel.Safe), clock.Elapsed.TotalSeconds,
            Hash(opened.Adapter!)));
    }

    /// <summary>Rows that no dose learns from: of another seed.</summary>
    private IReadOnlyList<TokenizedExample> HeldOut(LlamaSession opened, bool safety)
    {
        var arm = new StudyArm { Name = "held-out", SafetyExamples = Held };
        var others = _world.Examples(arm, _job.Replicate.Seed + HeldOutSeeds);
        return new ExampleEncoder(
            opened.Tokenizer, _job.Template, new EncodingOptions { MaxLength = _job.Training.MaxLength })
            .EncodeAll([.. safety ? others.TakeLast(Held) : others.Take(Held)]).Examples;
    }

    private IReadOnlyList<bool?> Check(
        LlamaSession opened, Validator validator, int step, Action<TrainEvent> tell, CancellationToken cancel)
    {
        var losses = validator.Measure(step);
        var answers = new Generator(opened.Model, opened.Decoding(DecodingConfig.Greedy(ProbeTokens)))
            .Generate([.. _probes.Select(p => opened.PromptIds(p.Text))], cancel: cancel);
        IReadOnlyList<bool?> refuses =
            [.. answers.Select(answer => WorldGrader.Judge(opened.Decode(answer)).Refuses())];
        tell(new TrainCheck(step, losses.General!.Value, losses.Safety!.Value, refuses));
        return refuses;
    }

    private double Share(IReadOnlyList<bool?> refuses, PromptLabel label) =>
        _probes.Zip(refuses).Where(p => p.First.Label == label).Average(p => p.Second == true ? 1 : 0.0);

    private static string Hash(LoraAdapter adapter)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var value in adapter.Parameters.SelectMany(p => p.Value.ReadDoubles()))
        {
            hash.AppendData(BitConverter.GetBytes((float)value));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
