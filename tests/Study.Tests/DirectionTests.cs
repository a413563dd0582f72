using SafeLlama.Data;
using SafeLlama.Evaluation;
using SafeLlama.Kernels;
using SafeLlama.Testing;
using SafeLlama.Training;

namespace SafeLlama.Study.Tests;

/// <summary>The refusal directions of a study: read from a tiny model, compared, kept, and told where there are
/// none.</summary>
public sealed class DirectionTests
{
    private static readonly StudyRecipe Recipe = new()
    {
        Name = "tiny",
        Question = "?",
        Models = [TinyModel.Folder],
        Data = new StudyData { World = new WorldDials { BenignExamples = 60 }, Draw = WorldDraw.Development },
        Training = new StudyTraining { Epochs = 1, WarmupSteps = Amount.Count(1), Rank = 2, LearningRate = 1e-2 },
        Decoding = new StudyDecoding { MaxNewTokens = 2 },
        Arms =
        [
            new StudyArm { Name = "base", Untrained = true },
            new StudyArm { Name = "none", SafetyExamples = 0 },
            new StudyArm { Name = "some", SafetyExamples = 40 },
        ],
        Metrics = WorldMetrics.All,
    };

    private static readonly FewPrompts Source = new(new WorldSource(Recipe.Data), every: 6);

    private static readonly Lazy<(string Folder, StudyRun Run, StudyRunner Runner)> Made = new(() =>
    {
        var folder = TestFiles.NewFolder();
        var runner = new StudyRunner(Recipe, Source, Engine(2));
        return (folder, Refusing(runner.Run(folder, resume: false)), runner);
    });

    [Test]
    public void An_arm_is_compared_with_the_one_that_refuses_most_at_every_layer()
    {
        var found = Read(Made.Value.Run);
        Assert.That(found.Missing, Is.Null);
        Assert.That(found.Reference, Is.EqualTo("some"));
        Assert.That(found.Wordings.Select(w => w.Wording), Does.Contain(PromptFormat.Instruction));
        var shape = found.Shapes.Single();
        Assert.That((shape.Blocks, shape.Width), Is.EqualTo((2, 32)));
        var arms = shape.Cosines.Where(c => c.Contrast == DirectionContrast.Arms).ToList();
        Assert.That(arms.Select(c => c.Arm).Distinct(), Is.EqualTo(new[] { "base", "none" }));
        Assert.That(arms.Select(c => c.With), Is.All.EqualTo("some"));
        foreach (var cosines in arms)
        {
            Assert.That(cosines.Layers, Has.Count.EqualTo(3));
            Assert.That(cosines.Layers[0], Is.Null, "every prompt ends in the same token");
            Assert.That(cosines.Layers[^1]!.Mean, Is.InRange(-1, 0.9999), "another adapter, another direction");
            Assert.That(cosines.Layers[1]!.Mean, Is.GreaterThan(0.5), "the adapter is small beside the base");
        }

        Assert.That(shape.Cosines.Where(c => c.Contrast == DirectionContrast.Bases).Select(c => c.Pairs),
            Is.All.Zero, "there is one base");
        Assert.That(shape.Arms.First(a => a.Arm == "some").Refused, Is.EqualTo(1));
        Assert.That(shape.Arms.First(a => a.Arm == "none").Refused, Is.Zero);
    }

    [Test]
    public void A_base_compared_with_itself_under_another_name_has_cosine_one()
    {
        var twin = TestFiles.NewFolder();
        foreach (var file in Directory.GetFiles(TinyModel.Folder))
        {
            File.Copy(file, Path.Combine(twin, Path.GetFileName(file)));
        }

        // Another file of the same weights, or the study would refuse one base under two names: its header is longer by
        // eight spaces.
        var path = Path.Combine(twin, "model.safetensors");
        var bytes = File.ReadAllBytes(path);
        var header = BitConverter.ToInt64(bytes);
        File.WriteAllBytes(path,
        [
            .. BitConverter.GetBytes(header + 8), .. bytes.AsSpan(8, (int)header), .. "        "u8,
            .. bytes.AsSpan(8 + (int)header),
        ]);

        var recipe = Recipe with { Models = [TinyModel.Folder, twin], Arms = [Recipe.Arms[2]] };
        var folder = TestFiles.NewFolder();
        var runner = new StudyRunner(recipe, Source, Engine(2));
        var run = Refusing(runner.Run(folder, resume: false));
        var found = new DirectionReader(recipe, Source, Engine(1)).Read(run, runner.Jobs, folder);
        var bases = found.Shapes.Single().Cosines.Where(c => c.Contrast == DirectionContrast.Bases).ToList();
        Assert.That(bases.Select(c => c.Pairs), Is.All.EqualTo(1));
        Assert.That(bases.SelectMany(c => c.Layers).OfType<CosineRange>().Select(r => r.Mean), Is.All.EqualTo(1));
    }

    [Test]
    public void The_file_is_the_same_on_any_threads_and_is_read_again()
    {
        var (folder, run, runner) = Made.Value;
        var (one, two) = (TestFiles.NewFolder(), TestFiles.NewFolder());
        var found = new DirectionReader(Recipe, Source, Engine(1)).Read(run, runner.Jobs, one);
        new DirectionReader(Recipe, Source, Engine(2)).Read(run, runner.Jobs, two);
        byte[] Bytes(string of) => File.ReadAllBytes(Path.Combine(of, DirectionReader.FileName));
        Assert.That(Bytes(two), Is.EqualTo(Bytes(one)));

        var again = new DirectionReader(Recipe, Source, new NoWeights(Engine(1))).Read(run, runner.Jobs, one);
        Assert.That(ReportHtml.Render(StudyReport.Of(run with { Directions = again })),
            Is.EqualTo(ReportHtml.Render(StudyReport.Of(run with { Directions = found }))));
    }

    [Test]
    public void A_study_that_has_none_says_why()
    {
        var (_, run, runner) = Made.Value;
        StudyDirections Of(IStudySource source, StudyRun of, IStudyEngine engine) =>
            new DirectionReader(Recipe, source, engine).Read(of, runner.Jobs, TestFiles.NewFolder());
        var compliant = run with
        {
            Replicates = [.. run.Replicates.Select(r => Answering(r, Behavior.FullCompliance))],
        };
        Assert.Multiple(() =>
        {
            Assert.That(Of(Source, compliant, Engine(1)).Missing, Does.Contain("no arm refuses"));
            Assert.That(Of(Source, run, new NoWeights(Engine(1))).Missing, Does.Contain("opens no weights"));
            Assert.That(
                Of(new FewPrompts(new WorldSource(Recipe.Data), every: 200), run, Engine(1)).Missing,
                Does.Contain("does not ask 8 harmful and 8 harmless prompts"));
            Assert.That(
                ReportHtml.Render(StudyReport.Of(run with { Directions = Of(Source, compliant, Engine(1)) })),
                Does.Contain("No directions are compared here"));
        });
    }

    private static StudyDirections Read(StudyRun run) =>
        new DirectionReader(Recipe, Source, Engine(1)).Read(run, Made.Value.Runner.Jobs, TestFiles.NewFolder());

    private static LlamaEngine Engine(int threads) => new(() => new CpuBackend(threads), MiniatureModel.FolderOf);

    /// <summary>A model this small says nothing, so the last arm's answers are called refusals.</summary>
    private static StudyRun Refusing(StudyRun run) => run with
    {
        Replicates =
        [
            .. run.Replicates.Select(r => Answering(
                r, r.Replicate.Arm == "some" ? Behavior.FullRefusal : Behavior.FullCompliance)),
        ],
    };

    private static StudyReplicate Answering(StudyReplicate made, Behavior behavior) =>
        made with { Answers = [.. made.Answers.Select(a => a with { Verdict = behavior })] };

    /// <summary>An engine that has lost its weights.</summary>
    private sealed class NoWeights(IStudyEngine engine) : IStudyEngine
    {
        public IReadOnlyDictionary<string, string> Describe(string model) => engine.Describe(model);

        public long WeightCount(string model) => engine.WeightCount(model);

        public ArmEstimate Estimate(ArmJob job, IReadOnlyList<StudyPrompt> prompts, AttackWork? attacks = null) =>
            engine.Estimate(job, prompts, attacks);

        public TrainingSummary Train(
            ArmJob job, string folder, IProgress<ArmProgress>? progress, CancellationToken cancellation) =>
            engine.Train(job, folder, progress, cancellation);

        public IReadOnlyList<double> Likelihoods(ArmJob job, IReadOnlyList<TrainingExample> rows) =>
            engine.Likelihoods(job, rows);

        public ArmModel Open(ArmJob job, string folder) => engine.Open(job, folder);

        public StudyLesson? Explain(TrainedArm tuned, TrainedArm? before, LessonPlan plan) => null;
    }
}
