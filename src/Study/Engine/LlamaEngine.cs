using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Training;

namespace SafeLlama.Study;

/// <summary>The engine of studies: LoRA on a LLaMA checkpoint, greedy answers.</summary>
/// <param name="backends">Makes a backend for one job; jobs that run side by side each have their own.</param>
/// <param name="folderOf">The checkpoint folder of a model's name.</param>
public sealed class LlamaEngine(Func<IBackend> backends, Func<string, string> folderOf) : IStudyEngine
{
    private readonly Dictionary<(string Model, LoraVariant? Variant, LoadAs? Load), EngineSpeed> _speeds = [];

    private readonly Dictionary<(string, LoadAs?, int, string), double[]> _likelihoods = [];

    private readonly StudyTokens _tokens = new(folderOf);

    private readonly Lazy<DType> _operands = new(() =>
    {
        using var backend = backends();
        return backend.Operands;
    });

    public IReadOnlyDictionary<string, string> Describe(string model)
    {
        var folder = folderOf(model);
        var hashes = new Dictionary<string, string>
        {
            ["config"] = ContentHash.OfFile(Path.Combine(folder, "config.json")),
            ["tokenizer"] = TokenizerLoader.Load(folder).Hash,
        };
        foreach (var (file, hash) in ModelIdentity.WeightsIn(folder))
        {
            hashes[file] = hash;
        }

        return hashes;
    }

    public LlamaSession OpenSession(ArmJob job, string folder, bool forGradients) =>
        OpenTuned(job, folder, forGradients);

    public FineTuneTarget TargetOf(ArmJob job, string folder, string template) => new(
        BaseOf(job, folder), AdapterOf(job, folder), job.Training.LoadForm, template, backends);

    public long WeightCount(string model) => LlamaConfig.Load(folderOf(model)).ParameterCount;

    public void Check(ArmJob job, IReadOnlyList<StudyPrompt> prompts)
    {
        var config = LlamaConfig.Load(folderOf(job.Replicate.Model));
        if (prompts.Count == 0)
        {
            return;
        }

        var longest = prompts.MaxBy(prompt => _tokens.Length(job, prompt))!;
        var (tokens, answer) = (_tokens.Length(job, longest), job.Decoding.MaxNewTokens);
        if ((long)tokens + answer > config.MaxPositions)
        {
            throw SafeLlamaException.Usage(
                $"decoding.max_new_tokens is {answer}, and the longest prompt, {longest.Id}, has {tokens} tokens: "
                + $"together they go beyond the {config.MaxPositions} that {job.Replicate.Model} reads. "
                + (tokens < config.MaxPositions
                    ? $"Lower it to {config.MaxPositions - tokens}." : "Take the prompt out of its suite."));
        }
    }

    public ArmEstimate Estimate(ArmJob job, IReadOnlyList<StudyPrompt> prompts, AttackWork? attacks = null)
    {
        var folder = folderOf(job.Replicate.Model);
        var config = LlamaConfig.Load(folder);
        var load = job.Training.LoadForm;
        var weights = CheckpointFiles.BytesOf(folder) > 0 ? LlamaWeights.BytesOf(folder, load) : 0;
        using var backend = backends();
        if (job.Arm.Untrained)
        {
            return new(0, 0, weights + MemoryPlan.ProgramBytes, Seconds: null);
        }

        var training = Planned(job, config);
        var rows = TrainingMemory.MicroBatchRows(training.Config, training.Data);
        var stored = weights > 0
            ? weights
            : config.ParameterCount * sizeof(short);
        var memory = TrainingMemory.Of(backend, config, training.Config, rows, training.Data.Longest, stored, load);
        using var adapter = LoraAdapter.Plan(backend, config, training.Config.Lora!);
        return new(training.Steps, adapter.ParameterCount, memory.Total, weights == 0 ? null : Seconds())
        {
            Notes = training.Notes,
        };

        double Seconds()
        {
            var speed = Speed(job, training, prompts);
            var read = TokenCount(job, prompts);
            var answer = training.Data.Training.Average(row => (double)row.TargetCount / row.Starts.Count);
            var asked = prompts.Count;
            if (attacks is not null)
            {
                // An exchange is a prompt of the study with an answer as long as those learned.
                read += TokenCount(job, attacks.Prompts) + attacks.Tokens
                    + (attacks.Exchanges * ((read / Math.Max(1, prompts.Count)) + answer));
                asked += attacks.Prompts.Count;
            }

            return training.TokenCount * speed.TrainedToken + read * speed.ReadToken
                + asked * Math.Min(job.Decoding.MaxNewTokens, answer) * speed.WrittenToken;
        }
    }

    public double? ReadingSeconds(ArmJob job, IReadOnlyList<StudyPrompt> prompts)
    {
        var folder = folderOf(job.Replicate.Model);
        if (job.Arm.Untrained || CheckpointFiles.BytesOf(folder) == 0)
        {
            return null;
        }

        return Speed(job, Planned(job, LlamaConfig.Load(folder)), prompts).ReadToken * TokenCount(job, prompts);
    }

    public TrainingSummary Train(
        ArmJob job, string folder, IProgress<ArmProgress>? progress, CancellationToken cancellation)
    {
        var model = BaseOf(job, folder);
        var defense = job.Arm.Defense?.Settings(model, folderOf(job.Replicate.Model));
        if (defense?.SafeLora is { } safeLora)
        {
            MergeStart(job, model);
            SafeLoraRun.Check(safeLora, LlamaConfig.Load(model), ArmTraining.LoraOf(job.Training));
        }

        using var opened = OpenToLearn(job, model);
        return new ArmTraining(job, opened.Model.Config, opened.Tokenizer)
            .Run(opened, folder, defense?.SafeLora, progress, cancellation);
    }

    public IReadOnlyList<double> Likelihoods(ArmJob job, IReadOnlyList<TrainingExample> rows)
    {
        var key = (job.Replicate.Model, job.Training.Load, job.Training.MaxLength,
            ContentHash.OfText(string.Join('\n', rows.Select(r => $"{r.Id}\t{r.Question}\t{r.Answer}"))));
        lock (_likelihoods)
        {
            if (!_likelihoods.TryGetValue(key, out var known))
            {
                using var opened = OpenTuned(job with { Arm = job.Arm with { Untrained = true } }, "");
                known = _likelihoods[key] = AnswerLikelihood.Of(opened, job.Template, job.Training.MaxLength, rows);
            }

            return known;
        }
    }

    public ArmModel Open(ArmJob job, string folder)
    {
        var model = BaseOf(job, folder);
        var identity = ModelIdentity.Of(
            model, AdapterOf(job, folder), TokenizerLoader.Load(model).Hash,
            job.Template.Identity, job.Training.LoadForm, _operands.Value);
        var settings = DecodingConfig.Greedy(job.Decoding.MaxNewTokens);
        return new(new ArmResponder(() => OpenTuned(job, folder), identity, settings), identity.Facts)
        {
            AdapterHash = identity.Facts.GetValueOrDefault($"adapter {PeftFolder.WeightsName}"),
        };
    }

    public StudyLesson? Explain(TrainedArm tuned, TrainedArm? before, LessonPlan plan)
    {
        if (tuned.Job.Arm.Untrained)
        {
            return null;
        }

        (string, LessonReading)? first = before is null ? null : (before.Job.Arm.Name, Read(before));
        using var opened = OpenTuned(tuned.Job, tuned.Folder);
        return new LessonProbe(opened, tuned.Job).Explain(plan, first);

        LessonReading Read(TrainedArm arm)
        {
            using var session = OpenTuned(arm.Job, arm.Folder);
            return LessonReading.Of(session, arm.Job.Template, plan);
        }
    }

    public PageModel? Carry(IReadOnlyList<(ArmJob Job, string Folder)> arms)
    {
        var reader = new PageModelReader(folderOf(arms[0].Job.Replicate.Model));
        if (!reader.Fits)
        {
            return null;
        }

        foreach (var (job, folder) in arms.Where(
            arm => arm.Job.Training.Load is null && arm.Job.Arm.Defense?.SafeLora is null))
        {
            using var opened = OpenTuned(job, folder);
            reader.Add(job, opened);
        }

        return reader.Made;
    }

    private ArmTraining Planned(ArmJob job, LlamaConfig config) =>
        new(job, config, _tokens.Tokenizer(job.Replicate.Model), _tokens.Rows(job));

    private double TokenCount(ArmJob job, IReadOnlyList<StudyPrompt> prompts) =>
        prompts.Sum(prompt => (double)_tokens.Length(job, prompt));

    /// <param name="folder">The base's folder.</param>
    private LlamaSession OpenToLearn(ArmJob job, string folder) => LlamaSession.Open(
        backends(), folder, new()
        {
            NewAdapter = (backend, weights) => job.Start is { } start && job.Arm.Defense?.SafeLora is null
                ? PeftFolder.Load(backend, weights.Config, AdapterIn(start), trainable: true)
                : LoraAdapter.Create(backend, weights, ArmTraining.LoraOf(job.Training), job.Replicate.Seed),
            Load = job.Training.LoadForm,
            Template = job.Template,
            MaxLength = Math.Min(job.Training.MaxLength, LlamaConfig.Load(folder).MaxPositions),
            OwnsBackend = true,
        });

    private LlamaSession OpenTuned(ArmJob job, string folder, bool forGradients = false) => LlamaSession.Open(
        backends(), BaseOf(job, folder), new()
        {
            Adapter = AdapterOf(job, folder),
            ForGradients = forGradients,
            Load = job.Training.LoadForm,
            Template = job.Template,
            OwnsBackend = true,
        });

    /// <summary>Measured once for every model, variant and form of the base.</summary>
    private EngineSpeed Speed(ArmJob job, ArmTraining training, IReadOnlyList<StudyPrompt> prompts)
    {
        var key = (job.Replicate.Model, job.Training.Variant, job.Training.Load);
        if (!_speeds.TryGetValue(key, out var speed))
        {
            using var opened = OpenToLearn(job, folderOf(job.Replicate.Model));
            _speeds[key] = speed = EngineSpeed.Measure(opened, training, job, prompts);
        }

        return speed;
    }

    /// <summary>The model that an arm's adapter stands on: the base, or under SafeLoRA the merged model beside the
    /// adapter.</summary>
    private string BaseOf(ArmJob job, string folder) => job.Arm.Untrained || job.Arm.Defense?.SafeLora is null
        ? folderOf(job.Replicate.Model) : Path.Combine(folder, "aligned");

    /// <summary>Merges the adapter of the arm that is gone on from into the base, as <c>merge</c> does.</summary>
    private void MergeStart(ArmJob job, string folder)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(folder)!);
        AtomicFolder.Ensure(folder, ModelFolder.ConfigName, partial =>
        {
            var (model, adapter) = (folderOf(job.Replicate.Model), AdapterIn(job.Start!));
            using var session = LlamaSession.Open(
                backends(), model, new() { Adapter = adapter, Template = job.Template, OwnsBackend = true });
            ModelFolder.Merge(partial, model, session.Weights, session.Adapter!, adapter);
            TemplateRecord.Copy(adapter, partial);
        });
    }

    /// <summary>The adapter that training left; null for the base as it is.</summary>
    private static string? AdapterOf(ArmJob job, string folder) => job.Arm.Untrained ? null : AdapterIn(folder);

    private static string AdapterIn(string folder) => Path.Combine(folder, "adapter");
}
