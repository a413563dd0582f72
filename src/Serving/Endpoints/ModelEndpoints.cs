using Microsoft.AspNetCore.Http;

namespace SafeLlama.Serving;

/// <summary><c>GET /v1/models</c>, <c>/v1/models/ID</c> and <c>/health</c>.</summary>
internal sealed class ModelEndpoints(ServingEngine engine)
{
    private readonly long _created = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    public Task List(HttpContext context) =>
        Reply.Write(context, new { @object = "list", data = engine.Models.Select(Card).ToArray() });

    public Task Show(HttpContext context, string id) => Reply.Write(
        context,
        engine.Models.FirstOrDefault(m => m.Id == id) is { } model ? Card(model) : throw new ApiException(
            404, "There is no such model.", "model", "model_not_found"));

    public Task Health(HttpContext context)
    {
        context.Response.StatusCode = engine.IsRunning ? 200 : 503;
        return Reply.Write(context, new
        {
            status = engine.IsRunning ? "ok" : "stopping",
            slots = engine.Settings.Slots,
            busy = engine.Busy,
            waiting = engine.Waiting,
        });
    }

    private object Card(ServedModel model) => new
    {
        model.Id,
        @object = "model",
        created = _created,
        owned_by = "safellama",
        parent = model.Adapter < 0 ? null : engine.Models[0].Id,
        template = model.Template.Name,
        max_model_len = engine.MaxLength,
    };
}
