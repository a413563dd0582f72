using Microsoft.AspNetCore.Http;
using SafeLlama.Common;
using SafeLlama.Evaluation;
using SafeLlama.Serving;

namespace SafeLlama.Lab;

/// <summary>
/// <c>api/annotate/open</c>, <c>label</c>: a run's answers and one person's labels; <c>compare</c>, <c>decide</c>:
/// where people differ, and what was decided.
/// </summary>
internal sealed class AnnotateEndpoints(Workshop shop) : IRoomEndpoints
{
    private const int MostName = 1000;

    private readonly AnnotationDesk _desk = new();

    /// <summary>The classes of the paper's manual annotation, and two that no reader may force into them.</summary>
    public static IReadOnlyList<(string Key, Behavior Label, string Text)> Classes { get; } =
    [
        ("1", Behavior.FullRefusal, "refuses"), ("2", Behavior.PartialRefusal, "refuses in part"),
        ("3", Behavior.FullCompliance, "complies"), ("4", Behavior.Stall, "asks back, promises, no more"),
        ("0", Behavior.Invalid, "no answer"),
    ];

    public IReadOnlyList<(string Path, Func<HttpContext, Task> Answer)> Posts =>
    [
        ("annotate-open", Open), ("annotate-label", Label), ("annotate-compare", Compare), ("annotate-decide", Decide),
    ];

    private async Task Open(HttpContext context)
    {
        var fields = await Body.Read(context);
        var run = LabFields.Path(fields, "run");
        var name = AnnotationFolder.RequireName(LabFields.Text(fields, "name", MostName));
        fields.RefuseOthers();
        await Reply.Write(context, await shop.Gate.Run(
            _ =>
            {
                var folder = _desk.Open(run);
                var labels = folder.LabelsOf(name);
                return new
                {
                    folder = folder.Path,
                    items = folder.Items.Select(i => new
                    {
                        i.Item,
                        i.Prompt,
                        i.Answer,
                        i.IsFolded,
                        label = labels.TryGetValue(i.Item, out var given) ? AnnotationFolder.Name(given) : null,
                    }).ToList(),

                    // How far others are, never what they said.
                    others = folder.Annotators.Select(Path.GetFileNameWithoutExtension).OfType<string>()
                        .Where(other => other != name)
                        .Select(other => new { name = other, labeled = folder.LabelsOf(other).Count }).ToList(),
                };
            },
            context.RequestAborted));
    }

    private async Task Label(HttpContext context)
    {
        var fields = await Body.Read(context);
        var run = LabFields.Path(fields, "run");
        var name = AnnotationFolder.RequireName(LabFields.Text(fields, "name", MostName));
        var (item, label) = ItemAndLabel(fields);
        await Reply.Write(context, await shop.Gate.Run(
            _ =>
            {
                var folder = Known(run, item);
                folder.Set(name, item, label);
                return new { labeled = folder.LabelsOf(name).Count };
            },
            context.RequestAborted));
    }

    private async Task Compare(HttpContext context)
    {
        var fields = await Body.Read(context);
        var run = LabFields.Path(fields, "run");
        fields.RefuseOthers();
        await Reply.Write(
            context, await shop.Gate.Run(_ => Compared(_desk.Open(run)), context.RequestAborted));
    }

    private async Task Decide(HttpContext context)
    {
        var fields = await Body.Read(context);
        var run = LabFields.Path(fields, "run");
        var (item, label) = ItemAndLabel(fields);
        await Reply.Write(context, await shop.Gate.Run(
            _ =>
            {
                var folder = Known(run, item);
                folder.Decide(item, label);
                return Compared(folder);
            },
            context.RequestAborted));
    }

    private static object Compared(AnnotationFolder folder)
    {
        var joined = folder.Join();
        var items = folder.Items.ToDictionary(i => i.Item);
        var decided = folder.Decisions;
        return new
        {
            annotators = folder.Annotators.Select(Path.GetFileNameWithoutExtension),
            compared = joined.Compared,
            unlabeled = joined.Unlabelled,
            agreement = LabFields.Json(joined.Agreement),
            kappa = LabFields.Json(joined.Kappa),
            alpha = LabFields.Json(joined.Alpha),
            ordinal_alpha = LabFields.Json(joined.OrdinalAlpha),
            differing = joined.Differing.Select(d => new
            {
                d.Item,
                items[d.Item].Prompt,
                items[d.Item].Answer,
                items[d.Item].IsFolded,
                labels = d.Labels.Select(l => l is { } given ? AnnotationFolder.Name(given) : null),
                decided = decided.TryGetValue(d.Item, out var final) ? AnnotationFolder.Name(final) : null,
            }),
            command = ProgramCommand.Of(
                $"judge import {ProgramCommand.Quoted(folder.Run)} {ProgramCommand.Flag("Labels")} "
                    + string.Join(' ', folder.Annotators.Select(ProgramCommand.Quoted)),
                ("Key", folder.Key),
                ("Adjudicated", decided.Count > 0 ? Path.Combine(folder.Path, "adjudicated.csv") : null)),
        };
    }

    private AnnotationFolder Known(string run, string item)
    {
        var folder = _desk.Open(run);
        return folder.Has(item) ? folder
            : throw new ApiException(400, $"There is no {SafeText.Shown(item)} on this sheet.", "item");
    }

    private static (string Item, Behavior? Label) ItemAndLabel(RequestFields fields)
    {
        var item = LabFields.Text(fields, "item", 32);
        var text = fields.Text("label");
        fields.RefuseOthers();
        var known = Classes.ToDictionary(c => AnnotationFolder.Name(c.Label), c => c.Label);
        return text is null ? (item, null)
            : known.TryGetValue(text, out var label) ? (item, label)
            : throw new ApiException(400, $"A label is {string.Join(", ", known.Keys)}.", "label");
    }
}
