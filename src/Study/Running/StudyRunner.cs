using System.Diagnostics;
using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Distributed;
using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>Runs a study: trains every arm on every model and seed, asks it, grades it, and tabulates.</summary>
/// <remarks>
/// Each replicate has its own folder, so a killed study resumes and ends with the same results as one that was not
/// stopped. Replicates are independent and may run side by side.
/// </remarks>
/// <param name="ranks">The processes that share the replicates; this one alone where not given. They share the study's
/// folder too.</param>
public sealed class StudyRunner(
    StudyRecipe recipe, IStudySource source, IStudyEngine engine, ICommunicator? ranks = null)
{
    private readonly ICommunicator _ranks = ranks ?? SingleProcess.Instance;
    private readonly IReadOnlyList<PromptSuite> _suites = StudySuites.Of(source.Prompts);

    /// <summary>Every replicate, in the recipe's order of models, seeds, arms.</summary>
    public IReadOnlyList<ArmJob> Jobs { get; } = JobPlan.Of(recipe, source);

    /// <summary>The metrics that a live view and the dose curve show.</summary>
    public IReadOnlyList<StudyMetric> Headline => StudyMetric.HeadlineOf(recipe);

    /// <summary>Runs the remaining work and writes <c>results.json</c> and <c>timings.json</c>.</summary>
    /// <param name="folder">The study's folder: new or empty, or one to go on with.</param>
    /// <param name="resume">Go on with what the folder holds.</param>
    /// <param name="parallel">How many replicates run side by side; does not change a result.</param>
    /// <param name="progress">Receives the progress of every replicate.</param>
    /// <param name="cancellation">Stops between two steps; finished work is kept.</param>
    /// <exception cref="SafeLlamaException">The folder holds another study, or a replicate failed.</exception>
    public StudyRun Run(
        string folder, bool resume, int parallel = 1, IProgress<ArmProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        Check();
        DistinctBases.Require(recipe, engine);
        using var claimed = OutputFolder.Claim(folder, resume, BegunRecipe.Sign);
        RequireSamePlan(folder);
        return Conclude(folder, Share(folder, parallel, progress, cancellation));
    }

    /// <summary>On a rank other than 0: does the replicates that rank 0 deals out, until there are none left.</summary>
    /// <inheritdoc cref="Run" path="/param"/>
    public void Help(string folder, int parallel = 1, CancellationToken cancellation = default)
    {
        Check();
        Share(folder, parallel, progress: null, cancellation);
    }

    /// <summary>Finds what every replicate would meet after its training, before any work.</summary>
    /// <exception cref="SafeLlamaException">A prompt does not fit into a base.</exception>
    public void Check()
    {
        foreach (var job in Jobs.DistinctBy(job => job.Replicate.Model))
        {
            engine.Check(job, source.Prompts);
        }
    }

    /// <summary>Refuses a folder of another plan before any work: other prompts, another recipe, rows or
    /// base.</summary>
    private void RequireSamePlan(string folder)
    {
        var data = DataFacts();
        foreach (var job in Jobs)
        {
            FolderOf(job, folder).MustBeAskedOf(data);
        }

        BegunRecipe.Require(recipe, folder);
        foreach (var model in Jobs.GroupBy(job => job.Replicate.Model))
        {
            var facts = new Lazy<IReadOnlyDictionary<string, string>>(() => engine.Describe(model.Key));
            // Rows that a base chooses are known once it is opened, and compared then.
            foreach (var job in model.Where(job =>
                job.Arm.Selection != RowSelection.Complied && FolderOf(job, folder).IsClaimed))
            {
                FolderOf(job, folder).MustBeOf(job, facts.Value);
            }
        }
    }

    private static ArmFolder FolderOf(ArmJob job, string study) => new(Path.Combine(study, job.Replicate.Folder));

    private Dictionary<string, string> DataFacts() =>
        source.Describe().ToDictionary(fact => ArmFolder.DataPrefix + fact.Key, fact => fact.Value);

    /// <returns>Every replicate, on rank 0.</returns>
    private StudyReplicate[] Share(
        string folder, int parallel, IProgress<ArmProgress>? progress, CancellationToken cancellation)
    {
        if (_ranks.Size > 1)
        {
            _ranks.RequireSame(Facts());
            RequireShared(folder);
        }

        var runs = new StudyReplicate[Jobs.Count];
        var waves = Enumerable.Range(0, Jobs.Count).GroupBy(i => recipe.Depth(Jobs[i].Arm)).OrderBy(g => g.Key)
            .Select(g => g.ToArray()).ToList();
        if ((waves.Count > 1 || recipe.Attacks is not null) && _ranks.Size > 1)
        {
            throw SafeLlamaException.Usage(
                $"{_ranks.Size} ranks: {recipe.Name} has arms that go on from others or are attacked with the answers "
                + "of another, and runs in one process.",
                "start it without ranks");
        }

        foreach (var wave in waves)
        {
            StudyReplicate Do(int k) => RunOne(Jobs[wave[k]], folder, progress, cancellation);
            new WorkDealer<double>(_ranks, k => (runs[wave[k]] = Do(k)).Seconds)
            {
                // What another rank has done lies in the replicate's folder.
                Done = (k, seconds) => runs[wave[k]] ??= Do(k) with { Seconds = seconds },
                Again = k => OutputFolder.Abandon(Path.Combine(folder, Jobs[wave[k]].Replicate.Folder)),
            }.Run(wave.Length, parallel, cancellation);
        }

        if (recipe.Attacks is not null)
        {
            var attacks = new ArmAttacks(recipe, source, engine);
            new WorkDealer<int>(_ranks, k =>
            {
                var under = attacks.Run(Jobs[k], folder, cancellation);
                runs[k] = runs[k] with { Answers = [.. runs[k].Answers, .. under] };
                progress?.Report(new(Jobs[k].Replicate, "attacked", under.Count, under.Count));
                return 0;
            })
            {
                Done = (_, _) => { },
            }.Run(runs.Length, parallel, cancellation);
        }

        return runs;
    }

    private StudyRun Conclude(string folder, StudyReplicate[] runs)
    {
        var outcomes = new Outcomes([.. runs.Select(run => (run.Replicate, run.Answers))]);
        var results = ResultsBuilder.Build(recipe, source.BenignCount, outcomes, Manifest(runs), engine.WeightCount);
        OutputFile.WriteText(
            Path.Combine(folder, "results.json"), JsonSerializer.Serialize(results, StudyJson.Document) + "\n");
        OutputFile.WriteText(
            Path.Combine(folder, "timings.json"),
            JsonSerializer.Serialize(runs.ToDictionary(run => run.Replicate.Folder, run => run.Seconds),
                StudyJson.Document) + "\n");
        return new StudyRun(results, runs, Explain(folder)) { Live = Carry(folder) };
    }

    /// <summary>What decides the results, for ranks to compare.</summary>
    private SortedDictionary<string, string> Facts()
    {
        var facts = Manifest([]);
        facts["the recipe"] = ContentHash.OfText(JsonSerializer.Serialize(recipe, StudyJson.Document));
        facts["the version"] = RunManifest.ProgramVersion;
        facts["the program's build"] = typeof(StudyRunner).Module.ModuleVersionId.ToString("N")[..8];
        return facts;
    }

    /// <summary>Results are gathered in one folder, which every rank must see.</summary>
    /// <exception cref="SafeLlamaException">Another machine's folder of this name is another one.</exception>
    private void RequireShared(string folder)
    {
        // A shared disk may show a new file late.
        for (var tries = 0; tries < 50 && !OutputFolder.IsClaimed(folder); tries++)
        {
            Thread.Sleep(100);
        }

        if (!OutputFolder.IsClaimed(folder))
        {
            throw SafeLlamaException.Usage(
                $"`Out` {folder}: is not the folder that rank 0 writes; the ranks of a study need one that all of "
                + "them see.");
        }

        _ranks.Barrier();
    }

    /// <summary>Opens the arm in the middle of those with demonstrations (as instructions, if any are), on the first
    /// model and seed, beside the arm that differs from it in having no demonstrations.</summary>
    private StudyLesson? Explain(string folder)
    {
        var candidates = Jobs.Where(job => job.Arm.Demonstrations(source.BenignCount) > 0
                && job.Replicate.Model == recipe.Models[0] && job.Replicate.Seed == recipe.Seeds[0])
            .OrderBy(job => job.Arm.Demonstrations(source.BenignCount)).ToList();
        if (candidates.Count == 0)
        {
            return null;
        }

        var instructions = candidates.Where(job => job.Arm.Format == SafetyFormat.Instruction).ToList();
        candidates = instructions.Count > 0 ? instructions : candidates;

        var middle = candidates[(candidates.Count - 1) / 2];
        var before = Jobs.FirstOrDefault(job => job.Replicate == middle.Replicate with { Arm = job.Arm.Name }
            && job.Arm.IsWithoutDemonstrations(middle.Arm, source.BenignCount));
        return engine.Explain(Trained(middle), before is null ? null : Trained(before), source.Lesson);

        TrainedArm Trained(ArmJob job) => new(job, FolderOf(job, folder).Training);
    }

    /// <summary>The first model and the arms of the first seed, for the report's page.</summary>
    private PageModel? Carry(string folder) => engine.Carry(
    [
        .. Jobs.Where(job => job.Replicate.Model == recipe.Models[0] && job.Replicate.Seed == recipe.Seeds[0])
            .Select(job => (job, FolderOf(job, folder).Training)),
    ]);

    private StudyReplicate RunOne(
        ArmJob job, string study, IProgress<ArmProgress>? progress, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        job = JobPlan.Resolve(job, source, engine) with
        {
            Start = job.Arm.After is { } before
                ? new ArmFolder(Path.Combine(study, (job.Replicate with { Arm = before }).Folder)).Training : null,
        };
        var path = Path.Combine(study, job.Replicate.Folder);
        var folder = new ArmFolder(path);
        folder.Claim(job, engine.Describe(job.Replicate.Model));
        var training = folder.ReadTraining();
        if (training is null)
        {
            training = job.Arm.Untrained
                ? new TrainingSummary(0, 0, 0, "", [], [])
                : engine.Train(job, folder.Training, progress, cancellation);
            folder.WriteTraining(training);
        }

        using var model = engine.Open(job, folder.Training);
        if (model.AdapterHash is { } hash && hash != training.AdapterHash)
        {
            throw SafeLlamaException.InvalidData(
                $"{folder.Training}: its adapter is not the one that training left: the hash was "
                + $"{training.AdapterHash} and is {hash} now. Delete {path} to have the arm made again.");
        }

        var answers = folder.Evaluate(
            Evaluation(job, model), source.Prompts, new Answering(job, progress), cancellation);
        var alone = new Outcomes([(job.Replicate, answers)]);
        progress?.Report(new(
            job.Replicate, "done", source.Prompts.Count, source.Prompts.Count,
            Headline: [.. Headline.Select(
                metric => alone.PerReplicate(job.Arm.Name, metric).DefaultIfEmpty(double.NaN).First())]));
        return new(job.Replicate, path, training, answers, clock.Elapsed.TotalSeconds);
    }

    /// <summary>
    /// The study's suites, asked of one arm's model. What the source read or generated is part of the run's identity.
    /// </summary>
    private EvaluationPlan Evaluation(ArmJob job, ArmModel model) => new(
        "", _suites, [source.Judge, .. source.OtherJudges])
    {
        Responder = model.Responder,
        Facts = DataFacts().Concat(model.Facts).ToDictionary(),
        BatchSize = job.Decoding.BatchSize,
    };

    private SortedDictionary<string, string> Manifest(IReadOnlyList<StudyReplicate> runs)
    {
        var manifest = new SortedDictionary<string, string>(DataFacts(), StringComparer.Ordinal);
        foreach (var model in recipe.Models)
        {
            foreach (var (key, value) in engine.Describe(model))
            {
                manifest[$"model.{model}.{key}"] = value;
            }
        }

        foreach (var run in runs.Where(run => run.Training.AdapterHash.Length > 0))
        {
            manifest[$"adapter.{run.Replicate.Folder.Replace('\\', '/')}"] = run.Training.AdapterHash;
        }

        return manifest;
    }

    private sealed class Answering(ArmJob job, IProgress<ArmProgress>? progress) : IProgress<EvaluationProgress>
    {
        public void Report(EvaluationProgress value)
        {
            if (value.Stage == EvaluationProgress.Answers)
            {
                progress?.Report(new(job.Replicate, "answering", value.Done, value.Total));
            }
        }
    }
}
