using System.Text.Json;
using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>One replicate's folder: its plan, its training, its answers suite by suite. Each file appears whole or not
/// at all.</summary>
/// <remarks>
/// <code>
/// plan.json                what the replicate is; a folder with another plan is refused
/// training/, training.json the engine's own files; what it left behind
/// answers/SUITE.jsonl      one answer a line
/// </code>
/// </remarks>
public sealed class ArmFolder(string path)
{
    public string Training => Path.Combine(path, "training");

    /// <summary>Makes the folder, or checks that it was made for this job.</summary>
    /// <exception cref="SafeLlamaException">It was made for another job.</exception>
    public void Claim(ArmJob job)
    {
        Directory.CreateDirectory(Path.Combine(path, "answers"));
        var plan = JsonSerializer.Serialize(new ArmPlan(job), StudyJson.Document) + "\n";
        var file = Path.Combine(path, "plan.json");
        if (!File.Exists(file))
        {
            OutputFile.WriteText(file, plan);
        }
        else if (File.ReadAllText(file) != plan)
        {
            throw SafeLlamaException.Usage(
                $"{file}: was made by another recipe or other data; name another --out folder, or run that recipe.");
        }
    }

    /// <summary>What training left behind; null where it is not finished.</summary>
    public TrainingSummary? ReadTraining() => Read<TrainingSummary>(Path.Combine(path, "training.json"));

    public void WriteTraining(TrainingSummary summary) => OutputFile.WriteText(
        Path.Combine(path, "training.json"), JsonSerializer.Serialize(summary, StudyJson.Document) + "\n");

    /// <summary>The answers to a suite; null where they are not all there.</summary>
    public IReadOnlyList<string>? ReadAnswers(string suite, IReadOnlyList<StudyPrompt> prompts)
    {
        var file = AnswerFile(suite);
        if (!File.Exists(file))
        {
            return null;
        }

        StoredAnswer[] rows =
            [.. File.ReadLines(file).Select((line, i) => Parse<StoredAnswer>(line, $"{file}:{i + 1}"))];
        return rows.Select(row => row.Id).SequenceEqual(prompts.Select(p => p.Id))
            ? [.. rows.Select(row => row.Answer)]
            : throw SafeLlamaException.InvalidData(
                $"{file}: answers other prompts than this study's; delete it to have it made again.");
    }

    public void WriteAnswers(string suite, IReadOnlyList<StudyPrompt> prompts, IReadOnlyList<string> answers) =>
        OutputFile.WriteText(AnswerFile(suite), string.Concat(prompts.Zip(answers, (prompt, answer) =>
            JsonSerializer.Serialize(new StoredAnswer(prompt.Id, prompt.Text, answer), StudyJson.Line) + "\n")));

    private string AnswerFile(string suite) => Path.Combine(path, "answers", suite + ".jsonl");

    private static T? Read<T>(string file)
        where T : class => File.Exists(file) ? Parse<T>(File.ReadAllText(file), file) : null;

    private static T Parse<T>(string json, string place)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(json, StudyJson.Document)!;
        }
        catch (JsonException)
        {
            throw SafeLlamaException.InvalidData(
                $"{place}: was changed since it was written; delete it to have it made again.");
        }
    }

    private sealed record StoredAnswer(string Id, string Prompt, string Answer);

    /// <summary>What decides a replicate's outcome, rows by hash.</summary>
    private sealed record ArmPlan(
        Replicate Replicate, StudyArm Arm, StudyTraining Training, StudyDecoding Decoding, string Template, int Rows,
        string RowsHash)
    {
        public ArmPlan(ArmJob job)
            : this(
                job.Replicate,
                job.Arm,
                job.Training,
                job.Decoding,
                job.Template.Name,
                job.Examples.Count,
                ContentHash.OfText(string.Join('\n', job.Examples.Select(e => $"{e.Id}\t{e.Question}\t{e.Answer}"))))
        {
        }
    }
}
