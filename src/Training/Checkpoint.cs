using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>The best validation so far.</summary>
public sealed record BestStep(int Step, double Loss);

/// <summary>The state of a run apart from its tensors.</summary>
/// <param name="Step">Optimizer steps done. Sampler, schedule and dropout continue from this number.</param>
/// <param name="SinceBest">Validations since the best one.</param>
/// <param name="TensorsSha256">Hash of <c>trainer_state.safetensors</c>.</param>
/// <param name="Best">The best validation; null where none was made.</param>
public sealed record TrainerState(int Step, int SinceBest, string TensorsSha256, BestStep? Best = null);

/// <summary>A folder from which a run continues exactly: it holds parameters and moments to the last bit.</summary>
/// <remarks>
/// <c>checkpoints/step-N/</c> holds <c>trainer_state.safetensors</c> (value, m and v of everything that learns, in the
/// type they are computed in), <c>trainer_state.json</c>, and for an adapter its PEFT files, so that it can be used as
/// it is. The folder is filled under another name and then renamed, so a folder with its own name is whole.
/// </remarks>
public sealed class CheckpointFolder(string runFolder)
{
    private const string TensorsName = "trainer_state.safetensors";
    private const string StateName = "trainer_state.json";
    private const string Prefix = "step-";

    private readonly string _runFolder = runFolder;
    private readonly string _folder = Path.Combine(runFolder, "checkpoints");

    /// <summary>The steps of the whole checkpoints, rising.</summary>
    public IReadOnlyList<int> Steps => !Directory.Exists(_folder) ? [] :
        [.. Directory.EnumerateDirectories(_folder)
            .Select(f => Path.GetFileName(f)!)
            .Where(n => n.StartsWith(Prefix, StringComparison.Ordinal) && int.TryParse(n[Prefix.Length..], out _))
            .Select(n => int.Parse(n[Prefix.Length..], System.Globalization.CultureInfo.InvariantCulture))
            .Order()];

    public string PathOf(int step) => Path.Combine(_folder, $"{Prefix}{step}");

    /// <summary>Writes a checkpoint whole or not at all; keeps one of this step that exists.</summary>
    public void Save(Trainer trainer, BestStep? best, int sinceBest, string baseModel)
    {
        var path = PathOf(trainer.StepsDone);
        if (Directory.Exists(path))
        {
            return;
        }

        AtomicFolder.Create(path, folder => Fill(folder, trainer, best, sinceBest, baseModel));
    }

    private static void Fill(string folder, Trainer trainer, BestStep? best, int sinceBest, string baseModel)
    {
        if (trainer.Model.Adapter is { } adapter)
        {
            PeftFolder.Save(adapter, folder, baseModel);
        }

        var tensors = Path.Combine(folder, TensorsName);
        SafetensorsWriter.Write(
            tensors, Tensors(trainer).Select(t => SafetensorsItem.Of(t.Name, t.Tensor, t.Tensor.Type)));
        var state = new TrainerState(trainer.StepsDone, sinceBest, ContentHash.OfFile(tensors), best);
        OutputFile.WriteJson(Path.Combine(folder, StateName), state);
    }

    /// <summary>Restores parameters, moments and step.</summary>
    /// <param name="totalSteps">The steps of the whole run.</param>
    /// <exception cref="SafeLlamaException">The checkpoint is damaged, or belongs to another run.</exception>
    public TrainerState Load(Trainer trainer, int step, int totalSteps)
    {
        var state = Read(step);
        Check(state, step, totalSteps);
        Restore(trainer, step, state, parametersOnly: false);
        trainer.StepsDone = state.Step;
        return state;
    }

    /// <summary>Restores only the parameters, in order to save the best ones.</summary>
    public void LoadParameters(Trainer trainer, int step) => Restore(trainer, step, Read(step), parametersOnly: true);

    /// <summary>
    /// Deletes checkpoints that are neither among the newest nor the best, and half-written ones of a killed run.
    /// </summary>
    public void Prune(int keep, int? best)
    {
        if (!Directory.Exists(_folder))
        {
            return;
        }

        foreach (var left in Directory.EnumerateDirectories(_folder, "*" + OutputFile.TemporarySuffix).ToList())
        {
            Changing(left, () => Remove(left));
        }

        foreach (var step in Steps.SkipLast(keep).Where(s => s != best).ToList())
        {
            // Renamed first: a folder that is deleted only in part must not pass for a checkpoint.
            var doomed = PathOf(step) + OutputFile.TemporarySuffix;
            Changing(PathOf(step), () =>
            {
                Directory.Move(PathOf(step), doomed);
                Remove(doomed);
            });
        }
    }

    /// <summary>What to do about a checkpoint that is of no use.</summary>
    private string Then => Steps.Count > 1
        ? "Delete this checkpoint to resume from the one before."
        : "Delete this checkpoint to begin the run again with its first step.";

    private TrainerState Read(int step)
    {
        var path = Path.Combine(PathOf(step), StateName);
        byte[] text;
        try
        {
            text = File.ReadAllBytes(path);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw SafeLlamaException.InvalidData($"{path}: cannot be read: {FileErrors.Reason(e, path)} {Then}", e);
        }

        return JsonRecord.Parse<TrainerState>(text, path, "is no state of a trainer", then: Then);
    }

    /// <summary>Refuses numbers that this run cannot have written: it would go on from another step, or end with
    /// another best one.</summary>
    private void Check(TrainerState state, int step, int totalSteps)
    {
        void Require(bool fine, string field, object found, string expected)
        {
            if (!fine)
            {
                throw SafeLlamaException.InvalidData(
                    $"{Path.Combine(PathOf(step), StateName)}: \"{field}\" is {found}, expected {expected}. {Then}");
            }
        }

        Require(state.Step == step, "step", state.Step, $"{step}, as in the name of its folder");
        Require(step >= 0, "step", step, "0 or above");
        Require(step <= totalSteps, "step", step, $"at most {totalSteps}, the steps of this run");
        Require(state.SinceBest >= 0, "since_best", state.SinceBest, "0 or above");
        if (state.Best is { } best)
        {
            Require(best.Step >= 1 && best.Step <= step, "best.step", best.Step, $"a step from 1 to {step}");
            Require(double.IsFinite(best.Loss), "best.loss", best.Loss, "a finite number");

            // A log that was moved away, or lost its end with the machine, lacks the line.
            var logged = TrainingLog.ValidationLoss(_runFolder, best.Step) ?? best.Loss;
            Require(
                best.Loss == logged, "best.loss", best.Loss,
                $"{logged}, as {TrainingLog.MetricsName} has it at step {best.Step}");
        }
    }

    private void Restore(Trainer trainer, int step, TrainerState state, bool parametersOnly)
    {
        var tensors = Path.Combine(PathOf(step), TensorsName);
        if (!File.Exists(tensors) || ContentHash.OfFile(tensors) != state.TensorsSha256)
        {
            throw SafeLlamaException.InvalidData(
                $"{tensors}: is missing or differs from what was written. {Then}");
        }

        using var file = SafetensorsFile.Open(tensors);
        foreach (var (name, tensor) in Tensors(trainer).Where(t => !parametersOnly || t.IsParameter)
            .Select(t => (t.Name, t.Tensor)))
        {
            if (!file.Entries.TryGetValue(name, out var entry) || entry.Shape != tensor.Shape
                || file.WeightType(entry) != tensor.Type)
            {
                throw SafeLlamaException.InvalidData(
                    $"{tensors}: tensor '{name}' is missing or not {tensor.Shape} {tensor.Type}; "
                    + "resume with the model, adapter and device the run began with.");
            }

            var values = new double[entry.Shape.Count];
            TensorConvert.ToDoubles(file.Bytes(entry), tensor.Type, values);
            tensor.Write(values);
        }
    }

    private static IEnumerable<(string Name, Tensor Tensor, bool IsParameter)> Tensors(Trainer trainer) =>
        trainer.Moments.SelectMany(Tensors)
            .Concat(trainer.TermState.Select(kept => (kept.Name, kept.Tensor, IsParameter: false)));

    private static IEnumerable<(string Name, Tensor Tensor, bool IsParameter)> Tensors(Moments m) =>
        [($"value {m.Parameter.Name}", m.Parameter.Value, true), ($"m {m.Parameter.Name}", m.First, false),
            ($"v {m.Parameter.Name}", m.Second, false)];

    private static void Changing(string checkpoint, Action change) => FileErrors.Writing(
        checkpoint, change, "Earlier checkpoints are whole.", "go on from the newest with `Resume`");

    private static void Remove(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
