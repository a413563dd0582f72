using System.Diagnostics;
using System.Globalization;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Evaluation;
using SafeLlama.Inference;
using SafeLlama.Model;
using SafeLlama.Training;

namespace SafeLlama.Study;

/// <summary>Goes on tuning the model with a few rows, harmful or harmless, and asks again.</summary>
/// <remarks>
/// The training is that of <see cref="FineTuneRun"/>: the adapter goes on where it stands, or a new one is drawn. Qi et
/// al. 2023, arXiv:2310.03693, where 100 harmful rows undo a model's safety, and harmless ones loosen it.
/// </remarks>
/// <param name="name"><see cref="Harmful"/> or <see cref="Benign"/>.</param>
/// <param name="rows">The file of rows; the first ones are drawn by the seed.</param>
/// <param name="settings">How much is learned.</param>
public sealed class FineTuneTrial(string name, string rows, FineTuneSettings settings, FineTuneTarget target)
    : IAttackTrial
{
    public const string Harmful = "harmful-rows";
    public const string Benign = "benign-rows";

    /// <summary>What either tries where no setting is named.</summary>
    public const string Usual = "10x5/50x5/100x5";

    private const int LargestBatch = 16;

    public string Attack => name;

    public string Setting => settings.ToString();

    public string About => string.Create(
        CultureInfo.InvariantCulture,
        $"Tunes the model with {settings.Rows} {(name == Harmful ? "harmful" : "harmless")} rows, ")
        + string.Create(CultureInfo.InvariantCulture, $"{settings.Epochs} epochs at {settings.LearningRate}.");

    public string Identity => $"{name} 1\n{Setting}\n{ContentHash.OfFile(rows)}";

    public bool ChangesModel => true;

    public void Check(AttackContext context)
    {
        using var backend = target.Backends();
        new FineTuneRun(new(Request(context)), backend, NoView.Instance).Plan().Plan.RequireFit();
    }

    public PreparedAttack Prepare(
        AttackContext context, string folder, IProgress<EvaluationProgress>? progress,
        CancellationToken cancellation)
    {
        var training = Path.Combine(folder, "training");
        var adapter = Path.Combine(training, "adapter");
        IReadOnlyList<string> notes;
        using (var backend = target.Backends())
        {
            var run = new FineTuneRun(new(Request(context)), backend, new View(progress));
            notes = run.Plan().Inputs.Notes;
            if (!File.Exists(Path.Combine(adapter, PeftFolder.ConfigName))
                && run.Run(training, resume: true, cancellation).Saved is null)
            {
                throw new OperationCanceledException(cancellation);
            }
        }

        var session = LlamaSession.Open(target.Backends(), target.Model, new()
        {
            Adapter = adapter,
            Load = target.Load,
            Template = context.Session.Template,
            MaxLength = context.Session.Model.MaxLength,
            OwnsBackend = true,
        });
        return new(new Tuned(session, context.Decoding), context.Prompts) { Notes = notes };
    }

    /// <summary>The tokens of all steps, times what a gradient of one row takes a token.</summary>
    public double PreparationSeconds(AttackContext context)
    {
        using var backend = target.Backends();
        var inputs = new FineTuneRun(new(Request(context)), backend, NoView.Instance).Plan().Inputs;
        var row = SegmentEncoder.Ids(
            context.Session.Tokenizer, context.Render(context.Prompts[0], context.Prompts[0].Text));
        using var gradient = new TokenGradient(context.Session.Model);
        double Seconds()
        {
            var clock = Stopwatch.StartNew();
            gradient.Of(row, row.Length / 2, 0, 1);
            return clock.Elapsed.TotalSeconds;
        }

        Seconds();      // the first one allocates
        return Seconds() / row.Length * settings.Epochs * inputs.Data.Training.Sum(example => (double)example.Length);
    }

    private FineTuneRequest Request(AttackContext context) => new()
    {
        Model = target.Model,
        Adapter = target.Adapter,
        Load = target.Load.As,
        Nested = target.Load.Nested,
        Data = [rows],
        BaseExamples = settings.Rows,
        Template = target.Template,
        MaxLength = Math.Min(new FineTuneRequest().MaxLength, context.Session.Model.Config.MaxPositions),
        Validation = Amount.Count(0),
        Targets = target.Adapter is null ? "all" : new FineTuneRequest().Targets,
        Epochs = settings.Epochs,
        BatchSize = Math.Min(settings.Rows, LargestBatch),
        LearningRate = settings.LearningRate,
        Seed = context.Seed,
    };

    /// <summary>The tuned model; closed when the trial is over.</summary>
    private sealed class Tuned(LlamaSession session, DecodingConfig decoding) : IResponder, IDisposable
    {
        private readonly EngineResponder _responder = new(session, decoding);

        public string Identity => _responder.Identity;

        public DecodingConfig Settings => decoding;

        public IReadOnlyList<ModelAnswer> Answer(
            IReadOnlyList<AnswerRequest> requests, CancellationToken cancellation) =>
            _responder.Answer(requests, cancellation);

        public void Dispose() => session.Dispose();
    }

    private sealed class View(IProgress<EvaluationProgress>? progress) : ITrainingView
    {
        public void Stepped(StepReport report, int totalSteps, double seconds) =>
            progress?.Report(new("training steps", report.Step, totalSteps));

        public void Validated(ValidationReport report, bool isBest)
        {
        }

        public void Note(string line)
        {
        }
    }
}
