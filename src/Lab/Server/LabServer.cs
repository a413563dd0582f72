using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using SafeLlama.Common;
using SafeLlama.Serving;

namespace SafeLlama.Lab;

/// <summary>The lab's pages and what they compute, on 127.0.0.1 alone.</summary>
public sealed class LabServer : IAsyncDisposable
{
    /// <summary>The most bytes of a request; a room that takes files says what it takes.</summary>
    private const int MostBytes = 1 << 18;

    private const int MostConnections = 512;

    private static readonly string[] Reading = [HttpMethods.Get, HttpMethods.Head];

    private readonly WebApplication _app;
    private readonly LabGuard _guard = new();
    private readonly Workshop _shop;
    private readonly Action<string> _log;

    /// <param name="log">Receives faults of the server, a line each.</param>
    /// <exception cref="SafeLlamaException">A setting is out of range, or a model does not open.</exception>
    public LabServer(LabSettings settings, Action<string>? log = null)
    {
        settings.Validate();
        (_log, _shop) = (log ?? (_ => { }), new Workshop(settings));
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MostBytes;
            kestrel.Limits.MaxConcurrentConnections = MostConnections;
            kestrel.Listen(IPAddress.Loopback, settings.Port);
        });
        builder.Services.AddRoutingCore();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(2));
        _app = builder.Build();
        _app.Use(Answer);
        _app.UseRouting();
        _app.MapMethods("/", Reading, context => Go(context, LabRooms.All[0].Path));
        _app.MapMethods("/assets/{name}", Reading, LabAssets.Send);
        foreach (var room in LabRooms.All)
        {
            _app.MapMethods("/" + room.Path, Reading, context => LabPages.Send(context, room, _shop));
        }

        foreach (var room in _shop.Endpoints)
        {
            foreach (var (path, answer) in room.Posts)
            {
                _app.MapPost("/api/" + path, new RequestDelegate(answer));
            }
        }

        _app.UseEndpoints(_ => { });
    }

    /// <summary>The address with its token: whoever has it is in.</summary>
    public Uri Address => new(Root, _guard.Token + "/");

    /// <summary>An address that leads in once, for the arguments of a browser.</summary>
    public Uri FirstAddress => new(Root, _guard.TicketPath);

    /// <summary>What was computed and is being computed, for tests.</summary>
    internal Workshop Workshop => _shop;

    private Uri Root => new(_app.Services.GetRequiredService<IServer>().Features
        .Get<IServerAddressesFeature>()!.Addresses.First());

    /// <exception cref="SafeLlamaException">The port cannot be listened on.</exception>
    public async Task StartAsync(CancellationToken cancel = default)
    {
        try
        {
            await _app.StartAsync(cancel);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            throw SafeLlamaException.Failure(
                $"`{nameof(LabSettings.Port)}`: 127.0.0.1 cannot be listened on: {e.Message.TrimEnd('.')}.", e,
                $"name another `{nameof(LabSettings.Port)}`", "leave it out, which takes a free one");
        }
    }

    public async ValueTask DisposeAsync()
    {
        // First, since the server waits for the streams of what is computed, and gives up on those that stay.
        await _shop.Stop();
        try
        {
            await _app.StopAsync();
        }
        catch (OperationCanceledException)
        {
            // A page held on to its connection, which is cut.
        }

        await _app.DisposeAsync();
        await _shop.DisposeAsync();
    }

    /// <summary>Admits a request, and gives every fault its form.</summary>
    private async Task Answer(HttpContext context, RequestDelegate next)
    {
        try
        {
            if (_guard.Admit(context) is { } elsewhere)
            {
                await Go(context, elsewhere);
                return;
            }

            await next(context);
            if (!context.Response.HasStarted && context.Response.StatusCode is 404 or 405)
            {
                await Reply.Error(context, new(
                    context.Response.StatusCode, context.Response.StatusCode == 404
                        ? "There is nothing at this address." : "This address does not take this method."));
            }
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody reads an answer any more.
        }
        catch (Exception fault)
        {
            await Tell(context, fault);
        }
    }

    private async Task Tell(HttpContext context, Exception fault)
    {
        var told = fault is OperationCanceledException
            ? new ApiException(503, "The lab is stopping.") : Reply.Of(fault);
        if (told.Status >= 500 && fault is not OperationCanceledException)
        {
            // The path without its token; what clients sent writes no line of its own.
            _log(SafeText.ForTerminalCell($"{context.Request.Path}: {fault.GetType().Name}: {fault.Message}"
                + (told.Code == "internal_error" ? $" {fault.StackTrace?.ReplaceLineEndings(" ")}" : "")));
        }

        if (!context.Response.HasStarted)
        {
            await Reply.Error(context, told);
            return;
        }

        await new EventStream(context).Send(Reply.ErrorBody(told));
    }

    private static Task Go(HttpContext context, string where)
    {
        context.Response.StatusCode = StatusCodes.Status302Found;
        context.Response.Headers.Location = where;
        return Task.CompletedTask;
    }
}
