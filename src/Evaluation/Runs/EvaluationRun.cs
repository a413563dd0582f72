using System.Diagnostics;
using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Distributed;
using SafeLlama.Inference;

namespace SafeLlama.Evaluation;

/// <summary>
/// Evaluates a model in one folder: prompts, answers, verdicts, tables. Each part resumes where it was stopped.
/// </summary>
/// <remarks>
/// The folder holds <c>run.json</c>, <c>prompts.jsonl</c>, <c>responses.jsonl</c>, <c>verdicts.jsonl</c>, the judges'
/// cards, <c>summary.json|md|csv</c>, <c>report.html</c>, and <c>timings.json</c>, which alone differs between equal
/// runs.
/// </remarks>
public static class EvaluationRun
{
    public const string PromptsFile = "prompts.jsonl";
    public const string ResponsesFile = "responses.jsonl";
    public const string VerdictsFile = "verdicts.jsonl";
    public const string TimingsFile = "timings.json";

    /// <summary>What scores of capability belong to, written before the first of them.</summary>
    public const string CapabilityFile = "capability-run.json";

    /// <summary>The files by which the folder of a run is known, each from the beginning of its part.</summary>
    public static readonly RunSign[] Signs =
    [
        RunManifest.Sign, new(CapabilityFile, "model", "shots", "seed"),
    ];

    /// <summary>The result of a call.</summary>
    /// <param name="Summary">The tables.</param>
    /// <param name="Generated">Answers made or imported by this call.</param>
    /// <param name="Judged">Verdicts given by this call.</param>
    /// <param name="TornLines">Torn lines of a killed process, which were dropped and made again.</param>
    public sealed record Result(EvaluationSummary Summary, int Generated, int Judged, int TornLines);

    /// <exception cref="SafeLlamaException">The folder is taken, holds other work, or a part failed.</exception>
    public static async Task<Result> RunAsync(
        EvaluationPlan plan, IProgress<EvaluationProgress>? progress = null, CancellationToken cancellation = default)
    {
        var prompts = PromptsOf(plan);
        using var claimed = OutputFolder.Claim(plan.Out, plan.Resume, Signs);
        var manifest = Begin(plan, prompts);
        JudgeCards.Keep(plan.Out, plan.Cards, manifest);
        var clock = Stopwatch.StartNew();
        int generated, torn;
        IReadOnlyList<Response> responses;
        using (var store = RecordStore.Open<Response>(Path.Combine(plan.Out, ResponsesFile)))
        {
            torn = store.TornLines;
            var before = store.Records.Count;
            Generate(plan, prompts, store, progress, cancellation);
            (generated, responses) = (store.Records.Count - before, store.Records);
        }

        var answering = clock.Elapsed;
        var (judged, tornVerdicts) = await JudgeAsync(
            plan.Out, prompts, responses, plan.Judges, progress, cancellation);
        var summary = Tabulate(plan.Out, manifest, [.. plan.Suites.SelectMany(s => s.Notes),
            .. plan.Imported?.Notes ?? []]);
        WriteTimings(plan.Out, answering, clock.Elapsed - answering, generated, judged);
        return new(summary, generated, judged, torn + tornVerdicts);
    }

    /// <summary>On a rank other than 0: answers the prompts that rank 0 deals out, until there are none left.</summary>
    /// <param name="plan">The same as rank 0's; its judges and its folder are not used.</param>
    public static void Help(EvaluationPlan plan, CancellationToken cancellation = default)
    {
        var requests = RequestsOf(plan, PromptsOf(plan));
        plan.Ranks.RequireSame(ManifestOf(plan).WithoutJudges());
        if (plan.Imported is null)
        {
            int[][] batches = [.. plan.Ranks.Broadcast(Array.Empty<int>()).Chunk(plan.BatchSize)];
            Answering(plan, requests, batches, (_, _) => { }, cancellation).Run(0, parallel: 1, cancellation);
        }
    }

    /// <summary>Adds judges to a finished or unfinished run and rebuilds its tables.</summary>
    public static async Task<Result> JudgeAgainAsync(
        string folder, IReadOnlyList<IJudge> judges, IReadOnlyDictionary<string, JudgeCard> cards,
        IProgress<EvaluationProgress>? progress = null, CancellationToken cancellation = default)
    {
        using var claimed = OutputFolder.Claim(folder, resume: true);
        var begun = RunManifest.Read(folder);
        var manifest = begun with { Judges = [.. begun.Judges.Concat(Entries(judges)).DistinctBy(j => j.Hash)] };
        manifest.Write(folder);
        JudgeCards.Keep(folder, cards, manifest);
        IEnumerable<string> notes = File.Exists(Path.Combine(folder, EvaluationSummary.FileName))
            ? EvaluationSummary.Read(folder).Notes
            : [];
        var answers = RecordStore.Read<Response>(Path.Combine(folder, ResponsesFile));
        if (answers.Count < begun.Asked)
        {
            notes = notes.Append(
                $"The run is unfinished: {answers.Count} of {begun.Asked} answers were made and judged; "
                + "evaluate goes on with it if told to resume.").Distinct();
        }

        var (judged, torn) = await JudgeAsync(
            folder, RecordStore.Read<SuitePrompt>(Path.Combine(folder, PromptsFile)), answers, judges, progress,
            cancellation);
        return new(Tabulate(folder, manifest, [.. notes]), 0, judged, torn);
    }

    private static IReadOnlyList<SuitePrompt> PromptsOf(EvaluationPlan plan)
    {
        var prompts = plan.Prompts;
        if (prompts.Count == 0)
        {
            throw SafeLlamaException.Usage(
                "There is nothing to evaluate.", "name a suite with `Suite`", "give answers with `Responses`");
        }

        if (prompts.Any(p => p.Suite == MetricTable.AllSuites))
        {
            throw SafeLlamaException.Usage(
                $"A suite is called \"{MetricTable.AllSuites}\", as tables call the row over all suites. Give it "
                + "another name: name=file, or \"suite\" in its rows.");
        }

        if (prompts.GroupBy(p => p.Key).FirstOrDefault(g => g.Skip(1).Any()) is { } twice)
        {
            throw SafeLlamaException.Usage($"`Suite`: {twice.Key} is in two of the suites named; name each once.");
        }

        if (plan.Imported is not null)
        {
            return prompts;
        }

        RequireRoom(prompts, plan.Responder ?? throw SafeLlamaException.Usage(
            "Nobody answers.", "name a model with `Model`", "give answers with `Responses`"));
        return prompts;
    }

    /// <summary>A prompt that is too long is told before the first answer, not after hours of them.</summary>
    private static void RequireRoom(IReadOnlyList<SuitePrompt> prompts, IResponder responder)
    {
        var large = prompts.Select(p => (p.Key, Found: responder.Overflow(p))).Where(p => p.Found is not null).ToList();
        if (large is [var (key, found), ..])
        {
            var answer = responder.Settings.MaxNewTokens;
            throw SafeLlamaException.Usage(
                $"{key}: has {found!.Value.Tokens - answer} tokens, and {answer} more for the answer do not fit into "
                + $"the {found.Value.Window} the model was opened for; {large.Count} of {prompts.Count} prompts are "
                + "too long.",
                $"raise `{nameof(SessionOptions.MaxLength)}` if the model was made for more",
                $"lower `{nameof(DecodingConfig.MaxNewTokens)}`", "take those prompts out");
        }
    }

    private static RunManifest Begin(EvaluationPlan plan, IReadOnlyList<SuitePrompt> prompts)
    {
        var manifest = ManifestOf(plan);
        plan.Ranks.RequireSame(manifest.WithoutJudges());
        if (plan.Resume && File.Exists(Path.Combine(plan.Out, RunManifest.FileName)))
        {
            manifest = manifest.Continue(RunManifest.Read(plan.Out), plan.Out);
        }

        manifest.Write(plan.Out);
        OutputFile.WriteText(Path.Combine(plan.Out, PromptsFile), string.Concat(
            prompts.Select(p => JsonSerializer.Serialize(p, EvaluationJson.Line) + "\n")));
        return manifest;
    }

    private static RunManifest ManifestOf(EvaluationPlan plan) => new(
        "evaluation", RunManifest.ProgramVersion,
        plan.Imported is { } imported ? "answers " + imported.Sha256 : plan.Responder!.Identity,
        new SortedDictionary<string, string>(plan.Facts.ToDictionary(f => f.Key, f => f.Value)),
        plan.Imported?.Settings ?? plan.Responder!.Settings,
        plan.Samples, plan.Seed,
        [.. plan.Suites.Select(s => new RunManifest.SuiteEntry(
            s.Name, Path.GetFileName(s.Path), s.Sha256, s.Prompts.Count))])
    {
        Judges = Entries(plan.Judges),
        Names = plan.Names,
    };

    private static RunManifest.JudgeEntry[] Entries(IReadOnlyList<IJudge> judges) =>
        [.. judges.Select(j => new RunManifest.JudgeEntry(j.Identity.Hash, j.Identity))];

    private static void Generate(
        EvaluationPlan plan, IReadOnlyList<SuitePrompt> prompts, RecordStore<Response> store,
        IProgress<EvaluationProgress>? progress, CancellationToken cancellation)
    {
        if (plan.Imported is { } imported)
        {
            store.Append([.. imported.Items.Select(i => i.Response).Where(r => !store.Contains(r.Key))]);
            return;
        }

        var requests = RequestsOf(plan, prompts);
        int[] missing = [.. Enumerable.Range(0, requests.Length).Where(i =>
            !store.Contains($"{requests[i].Prompt.Key}#{requests[i].Sample}"))];
        plan.Ranks.Broadcast(missing);
        int[][] batches = [.. missing.Chunk(plan.BatchSize)];
        var total = store.Records.Count + missing.Length;
        var (waiting, next) = (new Dictionary<int, IReadOnlyList<ModelAnswer>>(), 0);

        // Answers are kept in the order of the prompts, whichever rank was first.
        Answering(plan, requests, batches, (batch, answers) =>
        {
            waiting.Add(batch, answers);
            for (; waiting.Remove(next, out var ready); next++)
            {
                store.Append([.. batches[next].Select(i => requests[i]).Zip(ready, (asked, answer) => new Response(
                    asked.Prompt.Suite, asked.Prompt.Id, asked.Sample, asked.Prompt.Text, answer.PromptTokens,
                    answer.Text, answer.AnswerTokens, answer.StopReason)
                {
                    Settings = plan.Responder!.Settings,
                    Prefill = answer.Prefill,
                })]);
                progress?.Report(new(EvaluationProgress.Answers, store.Records.Count, total));
            }
        }, cancellation).Run(batches.Length, parallel: 1, cancellation);
    }

    private static AnswerRequest[] RequestsOf(EvaluationPlan plan, IReadOnlyList<SuitePrompt> prompts) =>
        [.. prompts.SelectMany(p => Enumerable.Range(0, plan.Samples).Select(s => new AnswerRequest(p, s)))];

    private static WorkDealer<IReadOnlyList<ModelAnswer>> Answering(
        EvaluationPlan plan, AnswerRequest[] requests, int[][] batches, Action<int, IReadOnlyList<ModelAnswer>> done,
        CancellationToken cancellation) =>
        new(plan.Ranks, batch => plan.Responder!.Answer([.. batches[batch].Select(i => requests[i])], cancellation))
        {
            Done = done,
        };

    private static async Task<(int Judged, int Torn)> JudgeAsync(
        string folder, IReadOnlyList<SuitePrompt> prompts, IReadOnlyList<Response> responses,
        IReadOnlyList<IJudge> judges, IProgress<EvaluationProgress>? progress, CancellationToken cancellation)
    {
        const int Batch = 16;
        var byKey = prompts.ToDictionary(p => p.Key);
        using var store = RecordStore.Open<Verdict>(Path.Combine(folder, VerdictsFile));
        var judged = 0;
        foreach (var judge in judges)
        {
            var hash = judge.Identity.Hash;
            var missing = responses.Where(r => !store.Contains($"{hash} {r.Key}"))
                .Select(r => new JudgedAnswer(PromptOf(r, byKey, folder), r)).ToArray();
            var done = responses.Count - missing.Length;
            foreach (var batch in missing.Chunk(Batch))
            {
                cancellation.ThrowIfCancellationRequested();
                var verdicts = await judge.JudgeAsync(batch, cancellation);
                if (!verdicts.Select(v => v.Key).SequenceEqual(batch.Select(item => $"{hash} {item.Response.Key}")))
                {
                    throw new InvalidOperationException(
                        $"{judge.Identity.Name} gave verdicts on other answers than it was asked about.");
                }

                store.Append([.. verdicts]);
                judged += verdicts.Count;
                progress?.Report(new("verdicts of " + judge.Identity.Name, done += batch.Length, responses.Count));
            }
        }

        return (judged, store.TornLines);
    }

    private static SuitePrompt PromptOf(Response response, Dictionary<string, SuitePrompt> prompts, string folder) =>
        prompts.GetValueOrDefault(response.PromptKey) ?? throw SafeLlamaException.InvalidData(
            $"{Path.Combine(folder, ResponsesFile)}: {response.Key} answers a prompt that {PromptsFile} does not hold; "
            + "the run's files do not belong together.");

    private static EvaluationSummary Tabulate(string folder, RunManifest manifest, IReadOnlyList<string> notes)
    {
        var summary = EvaluationSummary.Build(
            manifest,
            RecordStore.Read<SuitePrompt>(Path.Combine(folder, PromptsFile)),
            RecordStore.Read<Response>(Path.Combine(folder, ResponsesFile)),
            RecordStore.Read<Verdict>(Path.Combine(folder, VerdictsFile)),
            JudgeCards.Of(folder),
            notes);
        summary.Write(folder);
        RunReport.Of(RunFolder.Open(folder)).Write();
        return summary;
    }

    private static void WriteTimings(string folder, TimeSpan answering, TimeSpan judging, int generated, int judged) =>
        OutputFile.WriteJson(Path.Combine(folder, TimingsFile), new EvaluationTimings(
            Math.Round(answering.TotalSeconds, 3), Math.Round(judging.TotalSeconds, 3), generated, judged));
}
