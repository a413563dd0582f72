using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using SafeLlama.Kernels;
using SafeLlama.Serving;
using SafeLlama.Study;

namespace SafeLlama.Lab;

/// <summary><c>api/class-run</c>: trains a seed as a stream; <c>api/class-judge</c>: judges all files.</summary>
internal sealed class ClassEndpoints(Workshop shop) : IRoomEndpoints
{
    /// <summary>The most files of a judgment.</summary>
    public const int MostFiles = 1000;

    /// <summary>The most bytes of a judgment's request: every file of 1 KB, each of its characters escaped.</summary>
    private const int MostBytes = 4 << 20;

    private readonly Lazy<ClassPlan> _plan = new(() => new(
        shop.World, new LlamaEngine(() => new CpuBackend(shop.Settings.Threads), MiniatureModel.FolderOf)));

    public IReadOnlyList<(string Path, Func<HttpContext, Task> Answer)> Posts =>
        [("class-run", Train), ("class-judge", Judge)];

    private async Task Train(HttpContext context)
    {
        var fields = await Body.Read(context);
        fields.Require("seed");
        var seed = fields.Integer("seed", 1, (int)ClassResult.MostSeed)!.Value;
        fields.RefuseOthers();
        var events = new EventStream(context);
        await foreach (var told in shop.TrainingGate.Stream<ClassEvent>(
            (tell, cancel) =>
            {
                var result = _plan.Value.Run(seed, new Teller(tell), cancel);
                tell(new ClassSaved($"class-seed-{seed}.json", ClassFiles.TextOf(result)));
            },
            context.RequestAborted, () => new ClassEvent(Words.Waiting)))
        {
            await events.Send<object>(told);
        }
    }

    private async Task Judge(HttpContext context)
    {
        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = MostBytes;
        var fields = await Body.Read(context);
        var files = FilesOf(fields.Require("files"));
        fields.RefuseOthers();
        var report = await shop.Gate.Run(_ => ClassReport.Of(_plan.Value, files), context.RequestAborted);
        await Reply.Write(context, new
        {
            report.Files,
            students = report.Seeds.Count,
            known = report.Seeds.Where(s => s <= ClassPlan.KnownSeeds),
            least = ClassPlan.Recipe.Evidence!.Seeds,
            report.Refused,
            metrics = report.Metrics.Select(m => new
            {
                m.Title,
                m.Arm,
                m.Prompts,
                mean = LabFields.Json(m.Mean),
                m.BetweenSeeds,
                m.Invalid,
                students = m.Students.Select(s => new { s.Seed, s.Yes, s.Answers, rate = LabFields.Json(s.Rate) }),
            }),
            claims = report.Claims.Select(c => new
            {
                c.Claim.Statement,
                verdict = ReportText.Verdict(c.Verdict),
                mark = Mark(c.Verdict),
                difference = ReportText.Points(c.Difference),
                confidence = double.IsNaN(c.Difference.Low) ? (double?)null : c.Confidence,
                c.Note,
            }),
        });
    }

    private static string Mark(ClaimVerdict verdict) => verdict switch
    {
        ClaimVerdict.Reproduced => "✓",
        ClaimVerdict.NotReproduced => "✗",
        ClaimVerdict.Partly => "~",
        _ => "?",
    };

    private static List<ClassFile> FilesOf(JsonElement list)
    {
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() is < 1 or > MostFiles)
        {
            throw RequestFields.Wrong(list, "files", $"a list of 1 to {MostFiles} files");
        }

        var files = new List<ClassFile>();
        foreach (var one in list.EnumerateArray())
        {
            var fields = new RequestFields(one, $"files[{files.Count}].");
            files.Add(new(
                RequestFields.TextOf(fields.Require("name"), fields.Name("name")),
                fields.Long("bytes") ?? 0, fields.Text("text")));
            fields.RefuseOthers();
        }

        return files;
    }

    private sealed class Teller(Action<ClassEvent> tell) : IProgress<ArmProgress>
    {
        public void Report(ArmProgress value) =>
            tell(new ClassProgress(value.Replicate.Arm, value.Stage, value.Done, value.Total));
    }
}
